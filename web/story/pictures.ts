/** Drawings that take the place of cameras in the story page. */
import type { Picture } from "@/stage/model";

function drawn(width: number, height: number, draw: (pen: CanvasRenderingContext2D) => void): Picture {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d");
  if (pen) draw(pen);
  const stream = canvas.captureStream(5);
  setInterval(() => pen && draw(pen), 200); // a canvas that does not change gives no frames
  return {
    attach: (element) => (element.srcObject = stream),
    detach: (element) => (element.srcObject = null),
  };
}

export function drawnFace(index: number): Picture {
  return drawn(640, 360, (pen) => {
    const hue = index * 47;
    const wall = pen.createLinearGradient(0, 0, 640, 360);
    wall.addColorStop(0, `hsl(${hue} 22% 34%)`);
    wall.addColorStop(1, `hsl(${hue + 40} 26% 16%)`);
    pen.fillStyle = wall;
    pen.fillRect(0, 0, 640, 360);
    pen.fillStyle = `hsl(${hue + 150} 24% 26%)`;
    pen.beginPath();
    pen.ellipse(320, 390, 170, 150, 0, 0, 7);
    pen.fill();
    pen.fillStyle = `hsl(24 38% ${38 + (index % 4) * 10}%)`;
    pen.beginPath();
    pen.ellipse(320, 175, 72, 92, 0, 0, 7);
    pen.fill();
  });
}

export function drawnScreen(): Picture {
  return drawn(1280, 720, (pen) => {
    pen.fillStyle = "#fdfcf8";
    pen.fillRect(0, 0, 1280, 720);
    pen.fillStyle = "#222";
    pen.font = "600 44px sans-serif";
    pen.fillText("Lights, scene 4", 90, 120);
    pen.font = "26px monospace";
    for (let row = 0; row < 12; row += 1) pen.fillText(`${row + 1}.  cue ${40 + row}   fade ${row % 4}.5 s   ch 1-24 @ ${row * 8}`, 90, 190 + row * 40);
  });
}
