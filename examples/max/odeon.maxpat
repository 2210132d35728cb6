{
  "patcher": {
    "fileversion": 1,
    "appversion": { "major": 8, "minor": 6, "revision": 5, "architecture": "x64", "modernui": 1 },
    "classnamespace": "box",
    "rect": [120, 120, 520, 380],
    "boxes": [
      { "box": { "id": "obj-1", "maxclass": "comment", "patching_rect": [20, 16, 420, 20], "text": "Once: script npm install. Then: script start. Turn the upper dial: everybody's turns." } },
      { "box": { "id": "obj-2", "maxclass": "message", "numinlets": 2, "numoutlets": 1, "patching_rect": [20, 48, 130, 22], "text": "script npm install ws" } },
      { "box": { "id": "obj-3", "maxclass": "message", "numinlets": 2, "numoutlets": 1, "patching_rect": [160, 48, 80, 22], "text": "script start" } },
      { "box": { "id": "obj-4", "maxclass": "dial", "numinlets": 1, "numoutlets": 1, "outlettype": ["float"], "patching_rect": [260, 48, 40, 40] } },
      { "box": { "id": "obj-5", "maxclass": "newobj", "numinlets": 1, "numoutlets": 1, "patching_rect": [260, 100, 90, 22], "text": "prepend dial" } },
      { "box": { "id": "obj-6", "maxclass": "newobj", "numinlets": 1, "numoutlets": 2, "patching_rect": [20, 150, 360, 22], "text": "node.script odeon.js ws://127.0.0.1:7880/ residence @watch 1" } },
      { "box": { "id": "obj-7", "maxclass": "newobj", "numinlets": 1, "numoutlets": 3, "patching_rect": [20, 200, 150, 22], "text": "route dial connected" } },
      { "box": { "id": "obj-8", "maxclass": "dial", "numinlets": 1, "numoutlets": 1, "outlettype": ["float"], "patching_rect": [20, 250, 40, 40] } },
      { "box": { "id": "obj-9", "maxclass": "toggle", "numinlets": 1, "numoutlets": 1, "outlettype": ["int"], "patching_rect": [90, 250, 24, 24] } }
    ],
    "lines": [
      { "patchline": { "source": ["obj-2", 0], "destination": ["obj-6", 0] } },
      { "patchline": { "source": ["obj-3", 0], "destination": ["obj-6", 0] } },
      { "patchline": { "source": ["obj-4", 0], "destination": ["obj-5", 0] } },
      { "patchline": { "source": ["obj-5", 0], "destination": ["obj-6", 0] } },
      { "patchline": { "source": ["obj-6", 0], "destination": ["obj-7", 0] } },
      { "patchline": { "source": ["obj-7", 0], "destination": ["obj-8", 0] } },
      { "patchline": { "source": ["obj-7", 1], "destination": ["obj-9", 0] } }
    ]
  }
}
