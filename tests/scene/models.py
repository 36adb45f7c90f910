"""Files of models, written by hand: what is in them is known."""

import io
import json
import struct

import numpy as np
from PIL import Image

CORNERS = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], float)
QUADS = np.array([[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]])


def cube_obj(path, *, size=2.0, more=""):
    """A cube of two materials: its top "lid", red and shiny, and the rest "side" with a texture."""
    (path.parent / "cube.mtl").write_text("newmtl lid\nKd 0.8 0.1 0.1\nPr 0.2\nPm 0.9\nnewmtl side\nmap_Kd skin.png\n")
    Image.fromarray(np.full((4, 4, 3), 128, np.uint8)).save(path.parent / "skin.png")
    lines = [
        "mtllib cube.mtl",
        *(f"v {x} {y} {z}" for x, y, z in CORNERS * size),
        "vt 0 0",
        "vt 1 0",
        "vt 1 1",
        "vt 0 1",
    ]
    for number, quad in enumerate(QUADS):
        lines += ["usemtl lid" if number == 1 else "usemtl side"]
        lines += ["f " + " ".join(f"{corner + 1}/{k + 1}" for k, corner in enumerate(quad))]
    path.write_text("\n".join([*lines, more]) + "\n")
    return path


def cube_ply(path, kind="ascii", *, cut=0):
    """A grey cube of side 1, with colours at its vertices."""
    head = (
        f"ply\nformat {kind} 1.0\ncomment by hand\nelement vertex 8\nproperty float x\nproperty float y\n"
        "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nelement face 6\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    if kind == "ascii":
        body = "".join(f"{x} {y} {z} 188 188 188\n" for x, y, z in CORNERS)
        body += "".join("4 " + " ".join(map(str, quad)) + "\n" for quad in QUADS)
        data = head.encode() + body.encode()
    else:
        order = "<" if "little" in kind else ">"
        data = head.encode() + b"".join(struct.pack(f"{order}fffBBB", *corner, 188, 188, 188) for corner in CORNERS)
        data += b"".join(struct.pack(f"{order}Biiii", 4, *map(int, quad)) for quad in QUADS)
    path.write_bytes(data[: len(data) - cut])
    return path


def cube_glb(path, *, node=None, required=(), sparse=False):
    """A cube of side 1 (y up) with normals, uv and a texture within the file, moved by its node."""
    faces = np.array([[q[0], q[1], q[2], q[0], q[2], q[3]] for q in QUADS]).reshape(-1, 3)
    across = np.cross(CORNERS[QUADS[:, 1]] - CORNERS[QUADS[:, 0]], CORNERS[QUADS[:, 2]] - CORNERS[QUADS[:, 0]])
    positions = CORNERS[QUADS].reshape(-1, 3).astype("<f4")
    normals = across.repeat(4, axis=0).astype("<f4")
    uv = np.tile(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], "<f4"), (6, 1))
    indices = np.array([[4 * n + k for k in (0, 1, 2, 0, 2, 3)] for n in range(len(faces) // 2)], "<u2").ravel()
    room = io.BytesIO()
    Image.fromarray(np.full((2, 2, 3), (255, 0, 0), np.uint8)).save(room, "PNG")
    views, chunk = [], b""
    for data in (positions.tobytes(), normals.tobytes(), uv.tobytes(), indices.tobytes(), room.getvalue()):
        views.append({"buffer": 0, "byteOffset": len(chunk), "byteLength": len(data)})
        chunk += data + b"\0" * (-len(data) % 4)
    accessors = [
        {"bufferView": n, "componentType": kind, "count": count, "type": name}
        for n, (kind, count, name) in enumerate(
            [(5126, 24, "VEC3"), (5126, 24, "VEC3"), (5126, 24, "VEC2"), (5123, 36, "SCALAR")]
        )
    ]
    if sparse:
        accessors[0]["sparse"] = {"count": 1}
    told = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"children": [1]}, {"mesh": 0, **(node or {})}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2}, "indices": 3, "material": 0}]}
        ],
        "materials": [
            {
                "name": "skin",
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0.25,
                    "roughnessFactor": 0.5,
                },
            }
        ],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 4, "mimeType": "image/png"}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(chunk)}],
        "extensionsRequired": list(required),
    }
    text = json.dumps(told).encode()
    text += b" " * (-len(text) % 4)
    size = 12 + 8 + len(text) + 8 + len(chunk)
    whole = struct.pack("<4sII", b"glTF", 2, size) + struct.pack("<I4s", len(text), b"JSON") + text
    path.write_bytes(whole + struct.pack("<I4s", len(chunk), b"BIN\0") + chunk)
    return path
