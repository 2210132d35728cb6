import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    // Every asset stays a file: the server's CSP allows no data: fonts, styles or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The lazy chunk is livekit-client at its own size; browser/pages.test.mjs watches what is loaded first.
    chunkSizeWarningLimit: 900,
  },
  server: {
    // `npm run dev` beside `odeon --dev`: the page from Vite, everything else from the server.
    proxy: {
      "/api": "http://127.0.0.1:7880",
      "/rtc": { target: "ws://127.0.0.1:7880", ws: true },
    },
  },
  // As the server sends it, so that `npm run browser` sees what would be refused.
  preview: {
    proxy: {},
    headers: {
      "content-security-policy":
        "default-src 'self'; script-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; " +
        "media-src 'self' blob: mediastream:; worker-src 'self' blob:; style-src 'self'",
    },
  },
  test: { include: ["test/**/*.test.ts"] },
});
