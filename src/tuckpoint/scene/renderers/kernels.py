"""Warp kernels of `raycast` for what is seen: one source for CPU and CUDA. Import it only where it is used.

A pixel's ray is d = ((x - cx) / fx, (y - cy) / fy, 1) in the camera's frame. For a triangle a, b, c the edge functions
d.(b x c), d.(c x a), d.(a x b) have one sign inside it, their shares are the barycentric coordinates, and depth is
a.(b x c) over their sum (2D homogeneous rasterisation, Olano and Greer 1997): a triangle that crosses the plane of the
camera needs no clipping. Double precision, since the products cancel for small triangles far away.
"""

import warp as wp

NOTHING = wp.constant(wp.uint64(0xFFFFFFFFFFFFFFFF))
LOW = wp.constant(wp.uint64(0xFFFFFFFF))
NEAR = wp.constant(wp.float64(1e-4))


@wp.struct
class Pinhole:
    """A camera: focal lengths, principal point and size in pixels."""

    fx: wp.float64
    fy: wp.float64
    cx: wp.float64
    cy: wp.float64
    width: wp.int32
    height: wp.int32


@wp.func
def ray(camera: Pinhole, x: int, y: int):
    """The ray through the centre of a pixel, of depth 1."""
    return wp.vec3d(
        (wp.float64(x) + wp.float64(0.5) - camera.cx) / camera.fx,
        (wp.float64(y) + wp.float64(0.5) - camera.cy) / camera.fy,
        wp.float64(1.0),
    )


@wp.func
def ahead(camera: Pinhole, view: wp.mat33, x: int, y: int):
    """The same ray in the world, single precision."""
    d = ray(camera, x, y)
    return view * wp.vec3(wp.float32(d[0]), wp.float32(d[1]), wp.float32(d[2]))


@wp.func
def edges(a: wp.vec3d, b: wp.vec3d, c: wp.vec3d, d: wp.vec3d):
    """The three edge functions."""
    return wp.vec3d(wp.dot(d, wp.cross(b, c)), wp.dot(d, wp.cross(c, a)), wp.dot(d, wp.cross(a, b)))


@wp.func
def box(camera: Pinhole, a: wp.vec3d, b: wp.vec3d, c: wp.vec3d):
    """First and last column and row whose centres the triangle may cover; all of them where it crosses the plane."""
    half = wp.float64(0.5)
    if a[2] <= NEAR or b[2] <= NEAR or c[2] <= NEAR:
        if a[2] <= NEAR and b[2] <= NEAR and c[2] <= NEAR:
            return wp.vec4i(0, -1, 0, -1)
        return wp.vec4i(0, camera.width - 1, 0, camera.height - 1)
    ax = a[0] / a[2] * camera.fx + camera.cx - half
    bx = b[0] / b[2] * camera.fx + camera.cx - half
    cx = c[0] / c[2] * camera.fx + camera.cx - half
    ay = a[1] / a[2] * camera.fy + camera.cy - half
    by = b[1] / b[2] * camera.fy + camera.cy - half
    cy = c[1] / c[2] * camera.fy + camera.cy - half
    w = wp.float64(camera.width)
    h = wp.float64(camera.height)
    left = wp.clamp(wp.min(ax, wp.min(bx, cx)), wp.float64(-1.0), w)
    right = wp.clamp(wp.max(ax, wp.max(bx, cx)), wp.float64(-1.0), w)
    top = wp.clamp(wp.min(ay, wp.min(by, cy)), wp.float64(-1.0), h)
    bottom = wp.clamp(wp.max(ay, wp.max(by, cy)), wp.float64(-1.0), h)
    return wp.vec4i(
        wp.max(int(wp.ceil(left)), 0),
        wp.min(int(wp.floor(right)), camera.width - 1),
        wp.max(int(wp.ceil(top)), 0),
        wp.min(int(wp.floor(bottom)), camera.height - 1),
    )


@wp.kernel
def rasterise(
    points: wp.array(dtype=wp.vec3d),
    faces: wp.array(dtype=wp.vec3i),
    instance: wp.array(dtype=wp.int32),
    slot: wp.array(dtype=wp.int32),
    camera: Pinhole,
    nearest: wp.array2d(dtype=wp.uint64),
    alone: wp.array3d(dtype=wp.uint8),
):
    """Nearest face per pixel, packed below its depth; and each instance alone, in the layer that `slot` gives it."""
    face = wp.tid()
    corner = faces[face]
    a = points[corner[0]]
    b = points[corner[1]]
    c = points[corner[2]]
    layer = slot[instance[face]]
    if layer == -2:
        return
    bc = wp.cross(b, c)
    ca = wp.cross(c, a)
    ab = wp.cross(a, b)
    volume = wp.dot(a, bc)
    if volume == wp.float64(0.0):
        return
    reach = box(camera, a, b, c)
    for y in range(reach[2], reach[3] + 1):
        for x in range(reach[0], reach[1] + 1):
            d = ray(camera, x, y)
            e0 = wp.dot(d, bc)
            e1 = wp.dot(d, ca)
            e2 = wp.dot(d, ab)
            zero = wp.float64(0.0)
            inside = (e0 >= zero and e1 >= zero and e2 >= zero) or (e0 <= zero and e1 <= zero and e2 <= zero)
            total = e0 + e1 + e2
            if inside and total != zero:
                depth = volume / total
                if depth > NEAR:
                    if layer >= 0:
                        alone[layer, y, x] = wp.uint8(1)
                    bits = wp.uint64(wp.cast(wp.float32(depth), wp.uint32))
                    wp.atomic_min(nearest, y, x, (bits << wp.uint64(32)) | wp.uint64(face))


@wp.kernel
def resolve(
    nearest: wp.array2d(dtype=wp.uint64),
    points: wp.array(dtype=wp.vec3d),
    faces: wp.array(dtype=wp.vec3i),
    normals: wp.array(dtype=wp.vec3),
    uvs: wp.array(dtype=wp.vec2),
    instances: wp.array(dtype=wp.int32),
    parts: wp.array(dtype=wp.int32),
    materials: wp.array(dtype=wp.int32),
    surface: wp.array2d(dtype=wp.float32),
    tiles: wp.array2d(dtype=wp.int32),
    texels: wp.array2d(dtype=wp.float32),
    camera: Pinhole,
    view: wp.mat33,
    instance: wp.array2d(dtype=wp.uint16),
    part: wp.array2d(dtype=wp.uint16),
    depth: wp.array2d(dtype=wp.float32),
    normal: wp.array3d(dtype=wp.float32),
    uv: wp.array3d(dtype=wp.float32),
    albedo: wp.array3d(dtype=wp.float32),
    finish: wp.array3d(dtype=wp.float32),
    shares: wp.array3d(dtype=wp.float32),
    face_of: wp.array2d(dtype=wp.int32),
):
    """All that the nearest face tells about its pixel; `surface` rows are colour, roughness, metallic, transmission."""
    y, x = wp.tid()
    packed = nearest[y, x]
    if packed == NOTHING:
        depth[y, x] = wp.inf
        face_of[y, x] = -1
        return
    face = int(packed & LOW)
    corner = faces[face]
    d = ray(camera, x, y)
    e = edges(points[corner[0]], points[corner[1]], points[corner[2]], d)
    total = e[0] + e[1] + e[2]
    u = wp.float32(e[0] / total)
    v = wp.float32(e[1] / total)
    w = wp.float32(1.0) - u - v
    instance[y, x] = wp.uint16(instances[face])
    part[y, x] = wp.uint16(parts[face])
    depth[y, x] = wp.cast(wp.uint32(packed >> wp.uint64(32)), wp.float32)
    face_of[y, x] = face
    shares[y, x, 0] = u
    shares[y, x, 1] = v
    towards = ahead(camera, view, x, y)
    n = wp.normalize(normals[corner[0]] * u + normals[corner[1]] * v + normals[corner[2]] * w)
    if wp.dot(n, towards) > 0.0:
        n = -n
    at = uvs[corner[0]] * u + uvs[corner[1]] * v + uvs[corner[2]] * w
    uv[y, x, 0] = at[0]
    uv[y, x, 1] = at[1]
    m = materials[face]
    colour = wp.vec3(surface[m, 0], surface[m, 1], surface[m, 2])
    if tiles[m, 0] >= 0:
        colour = wp.cw_mul(colour, texel(tiles, texels, m, at))
    for k in range(3):
        normal[y, x, k] = n[k]
        albedo[y, x, k] = colour[k]
        finish[y, x, k] = surface[m, 3 + k]


@wp.func
def texel(tiles: wp.array2d(dtype=wp.int32), texels: wp.array2d(dtype=wp.float32), m: int, at: wp.vec2):
    """Bilinear, repeating, linear light; the first row lies at v = 1."""
    start = tiles[m, 0]
    h = tiles[m, 1]
    w = tiles[m, 2]
    x = (at[0] - wp.floor(at[0])) * float(w) - 0.5
    y = (1.0 - (at[1] - wp.floor(at[1]))) * float(h) - 0.5
    x0 = int(wp.floor(x))
    y0 = int(wp.floor(y))
    fx = x - float(x0)
    fy = y - float(y0)
    found = wp.vec3(0.0, 0.0, 0.0)
    for j in range(2):
        for i in range(2):
            share = (fx if i == 1 else 1.0 - fx) * (fy if j == 1 else 1.0 - fy)
            place = start + ((y0 + j + h) % h) * w + (x0 + i + w) % w
            found += wp.vec3(texels[place, 0], texels[place, 1], texels[place, 2]) * share
    return found


@wp.kernel
def follow(
    face_of: wp.array2d(dtype=wp.int32),
    shares: wp.array3d(dtype=wp.float32),
    faces: wp.array(dtype=wp.vec3i),
    points: wp.array(dtype=wp.vec3d),
    camera: Pinhole,
    world: wp.array(dtype=wp.vec3),
    eye: wp.vec3,
    mesh: wp.uint64,
    flow: wp.array3d(dtype=wp.float32),
    hidden: wp.array2d(dtype=wp.bool),
):
    """Where the same point of the surface is in another frame, of these vertices, and whether it is seen there."""
    y, x = wp.tid()
    face = face_of[y, x]
    if face < 0:
        flow[y, x, 0] = wp.nan
        flow[y, x, 1] = wp.nan
        return
    corner = faces[face]
    u = wp.float64(shares[y, x, 0])
    v = wp.float64(shares[y, x, 1])
    w = wp.float64(1.0) - u - v
    there = points[corner[0]] * u + points[corner[1]] * v + points[corner[2]] * w
    if there[2] <= NEAR:
        flow[y, x, 0] = wp.nan
        flow[y, x, 1] = wp.nan
        hidden[y, x] = True
        return
    px = there[0] / there[2] * camera.fx + camera.cx
    py = there[1] / there[2] * camera.fy + camera.cy
    flow[y, x, 0] = wp.float32(px - wp.float64(x) - wp.float64(0.5))
    flow[y, x, 1] = wp.float32(py - wp.float64(y) - wp.float64(0.5))
    if (
        px < wp.float64(0.0)
        or py < wp.float64(0.0)
        or px >= wp.float64(camera.width)
        or py >= wp.float64(camera.height)
    ):
        hidden[y, x] = True
        return
    target = world[corner[0]] * wp.float32(u) + world[corner[1]] * wp.float32(v) + world[corner[2]] * wp.float32(w)
    way = target - eye
    length = wp.length(way)
    hit = wp.mesh_query_ray(mesh, eye, way / length, length * 0.999)
    hidden[y, x] = hit.result
