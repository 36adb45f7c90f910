"""Warp kernels of `raycast` for light: sun, lamps and sky on what is seen. Import it only where it is used."""

import warp as wp

from tuckpoint.scene.renderers.kernels import Pinhole, ahead

SAMPLES = wp.constant(16)  # directions that the pixels of a 4 x 4 square share among them


@wp.struct
class Light:
    """Sun, sky and how many lamps."""

    sun: wp.vec3  # towards it
    sun_colour: wp.vec3  # irradiance at right angles
    zenith: wp.vec3
    horizon: wp.vec3
    ground: wp.vec3
    lamps: wp.int32
    map_width: wp.int32
    map_height: wp.int32
    turn: wp.float32


@wp.func
def sky(light: Light, panorama: wp.array2d(dtype=wp.float32), way: wp.vec3):
    """Radiance from a direction: the map if there is one (its middle column looks along +y), else the gradient."""
    if light.map_width > 0:
        around = wp.atan2(way[0], way[1]) + light.turn
        u = around / (2.0 * wp.pi) + 0.5
        column = int(wp.floor((u - wp.floor(u)) * float(light.map_width))) % light.map_width
        row = wp.clamp(
            int(wp.acos(wp.clamp(way[2], -1.0, 1.0)) / wp.pi * float(light.map_height)), 0, light.map_height - 1
        )
        place = row * light.map_width + column
        return wp.vec3(panorama[place, 0], panorama[place, 1], panorama[place, 2])
    if way[2] >= 0.0:
        return wp.lerp(light.horizon, light.zenith, wp.pow(way[2], 0.5))
    return wp.lerp(light.horizon, light.ground, wp.min(wp.pow(-way[2], 0.35), 1.0))


@wp.func
def radical(number: int):
    """Van der Corput's sequence in base 2, for four bits."""
    return float(((number & 1) << 3) | ((number & 2) << 1) | ((number & 4) >> 1) | ((number & 8) >> 3)) / 16.0


@wp.func
def bounce(n: wp.vec3, number: int):
    """One of `SAMPLES` directions about a normal, as likely as the cosine (Hammersley points)."""
    around = 2.0 * wp.pi * radical(number)
    height = (float(number) + 0.5) / float(SAMPLES)
    radius = wp.sqrt(height)
    side = wp.normalize(wp.cross(n, wp.vec3(0.0, 0.0, 1.0) if wp.abs(n[2]) < 0.9 else wp.vec3(1.0, 0.0, 0.0)))
    other = wp.cross(n, side)
    return wp.normalize(
        side * (radius * wp.cos(around)) + other * (radius * wp.sin(around)) + n * wp.sqrt(1.0 - height)
    )


@wp.kernel
def open_sky(
    depth: wp.array2d(dtype=wp.float32),
    normal: wp.array3d(dtype=wp.float32),
    camera: Pinhole,
    view: wp.mat33,
    eye: wp.vec3,
    mesh: wp.uint64,
    light: Light,
    panorama: wp.array2d(dtype=wp.float32),
    rays: int,
    gathered: wp.array3d(dtype=wp.float32),
):
    """Light of the sky that reaches a point, the mean radiance over its cosine hemisphere.

    Every pixel of a 4 x 4 square looks in other directions, and `shade` takes their mean. What hides the sky sends a
    quarter of the ground's light.
    """
    y, x = wp.tid()
    if depth[y, x] == wp.inf:
        return
    way = ahead(camera, view, x, y)
    n = wp.vec3(normal[y, x, 0], normal[y, x, 1], normal[y, x, 2])
    at = eye + way * depth[y, x] + n * (2e-4 + 1e-4 * depth[y, x])
    total = wp.vec3(0.0, 0.0, 0.0)
    for k in range(rays):
        turn = bounce(n, ((y % 4) * 4 + (x % 4) * 7 + k * (SAMPLES / rays)) % SAMPLES)
        hit = wp.mesh_query_ray(mesh, at, turn, 1.0e4)
        if hit.result:
            total += light.ground * 0.25
        else:
            total += sky(light, panorama, turn)
    for k in range(3):
        gathered[y, x, k] = total[k] / float(rays)


@wp.func
def glare(n: wp.vec3, out: wp.vec3, way: wp.vec3, roughness: float, base: wp.vec3):
    """GGX reflection times the cosine (Walter et al. 2007), Schlick's Fresnel term, Smith's shadowing after Hammon."""
    half = wp.normalize(out + way)
    nl = wp.max(wp.dot(n, way), 0.0)
    nv = wp.max(wp.dot(n, out), 1e-3)
    nh = wp.max(wp.dot(n, half), 0.0)
    alpha = wp.max(roughness * roughness, 2e-3)
    a2 = alpha * alpha
    lobe = nh * nh * (a2 - 1.0) + 1.0
    spread = a2 / (wp.pi * lobe * lobe)
    shadowing = 0.5 / (wp.lerp(2.0 * nl * nv, nl + nv, alpha) + 1e-6)
    schlick = wp.pow(1.0 - wp.max(wp.dot(out, half), 0.0), 5.0)
    fresnel = base + (wp.vec3(1.0, 1.0, 1.0) - base) * schlick
    return fresnel * (wp.min(spread, 1.0e3) * shadowing * nl)


@wp.func
def smoothed(
    depth: wp.array2d(dtype=wp.float32),
    normal: wp.array3d(dtype=wp.float32),
    gathered: wp.array3d(dtype=wp.float32),
    camera: Pinhole,
    x: int,
    y: int,
    first: int,
):
    """Mean of three gathered numbers over a 4 x 4 square, as far as it is of the same surface."""
    n = wp.vec3(normal[y, x, 0], normal[y, x, 1], normal[y, x, 2])
    total = wp.vec3(0.0, 0.0, 0.0)
    count = float(0.0)  # noqa: UP018 - Warp takes a bare literal for a constant
    for j in range(-2, 2):
        for i in range(-2, 2):
            yy = wp.clamp(y + j, 0, camera.height - 1)
            xx = wp.clamp(x + i, 0, camera.width - 1)
            m = wp.vec3(normal[yy, xx, 0], normal[yy, xx, 1], normal[yy, xx, 2])
            if wp.abs(depth[yy, xx] - depth[y, x]) < 0.03 * depth[y, x] and wp.dot(n, m) > 0.85:
                total += wp.vec3(gathered[yy, xx, first], gathered[yy, xx, first + 1], gathered[yy, xx, first + 2])
                count += 1.0
    return total / wp.max(count, 1.0)


@wp.struct
class Spot:
    """One place of a lamp as seen from a point."""

    way: wp.vec3  # towards it
    away: wp.float32
    light: wp.vec3  # irradiance at right angles; none if it faces away


@wp.func
def spot_of(lamp: wp.array2d(dtype=wp.float32), number: int, spot: int, rays: int, at: wp.vec3):
    """A place of a lamp: its row is centre, two sides, facing and power."""
    place = wp.vec3(lamp[number, 0], lamp[number, 1], lamp[number, 2])
    side = wp.vec3(lamp[number, 3], lamp[number, 4], lamp[number, 5])
    rise = wp.vec3(lamp[number, 6], lamp[number, 7], lamp[number, 8])
    facing = wp.vec3(lamp[number, 9], lamp[number, 10], lamp[number, 11])
    power = wp.vec3(lamp[number, 12], lamp[number, 13], lamp[number, 14])
    found = Spot()
    to = place + side * ((float(spot) + 0.5) / float(SAMPLES) - 0.5) + rise * (radical(spot) - 0.47) - at
    found.away = wp.length(to)
    found.way = to / found.away
    sends = wp.max(-wp.dot(found.way, facing), 0.0)
    found.light = power * (sends / (wp.pi * found.away * found.away * float(rays)))
    return found


@wp.kernel
def lamps_seen(
    depth: wp.array2d(dtype=wp.float32),
    normal: wp.array3d(dtype=wp.float32),
    camera: Pinhole,
    view: wp.mat33,
    eye: wp.vec3,
    mesh: wp.uint64,
    lamp: wp.array2d(dtype=wp.float32),
    lamps: int,
    rays: int,
    gathered: wp.array3d(dtype=wp.float32),
):
    """Light of all lamps that reaches a point, and the share of it that nothing hides: entries 3 to 5, and 6.

    Every pixel of a 4 x 4 square looks at other places of a lamp, and `shade` takes their mean.
    """
    y, x = wp.tid()
    if depth[y, x] == wp.inf:
        return
    n = wp.vec3(normal[y, x, 0], normal[y, x, 1], normal[y, x, 2])
    at = eye + ahead(camera, view, x, y) * depth[y, x] + n * (2e-4 + 1e-4 * depth[y, x])
    total = wp.vec3(0.0, 0.0, 0.0)
    open_ = float(0.0)  # noqa: UP018
    every = float(0.0)  # noqa: UP018
    for number in range(lamps):
        for k in range(rays):
            spot = spot_of(lamp, number, ((y % 4) * 4 + (x % 4) * 7 + k * (SAMPLES / rays)) % SAMPLES, rays, at)
            light = spot.light * wp.max(wp.dot(n, spot.way), 0.0)
            strength = light[0] + light[1] + light[2]
            if strength > 0.0:
                every += strength
                hit = wp.mesh_query_ray(mesh, at, spot.way, spot.away * 0.999)
                if not hit.result:
                    total += light
                    open_ += strength
    for k in range(3):
        gathered[y, x, 3 + k] = total[k]
    gathered[y, x, 6] = open_ / wp.max(every, 1e-12)


@wp.func
def lamp_glare(
    lamp: wp.array2d(dtype=wp.float32),
    lamps: int,
    at: wp.vec3,
    n: wp.vec3,
    way: wp.vec3,
    roughness: float,
    base: wp.vec3,
):
    """What a surface mirrors of all lamps, as if nothing hid them."""
    out = wp.vec3(0.0, 0.0, 0.0)
    for number in range(lamps):
        for k in range(SAMPLES):
            spot = spot_of(lamp, number, k, SAMPLES, at)
            if wp.dot(n, spot.way) > 0.0:
                out += wp.cw_mul(glare(n, -way, spot.way, roughness, base), spot.light)
    return out


@wp.kernel
def shade(
    depth: wp.array2d(dtype=wp.float32),
    normal: wp.array3d(dtype=wp.float32),
    albedo: wp.array3d(dtype=wp.float32),
    finish: wp.array3d(dtype=wp.float32),
    gathered: wp.array3d(dtype=wp.float32),
    camera: Pinhole,
    view: wp.mat33,
    eye: wp.vec3,
    mesh: wp.uint64,
    light: Light,
    panorama: wp.array2d(dtype=wp.float32),
    lamp: wp.array2d(dtype=wp.float32),
    radiance: wp.array3d(dtype=wp.float32),
):
    """Linear light of a pixel: sun and lamps with shadow rays, the sky's gathered light, a mirror image of the sky."""
    y, x = wp.tid()
    along = ahead(camera, view, x, y)
    way = wp.normalize(along)
    out = wp.vec3(0.0, 0.0, 0.0)
    if depth[y, x] == wp.inf:
        out = sky(light, panorama, way)
        for k in range(3):
            radiance[y, x, k] = out[k]
        return
    n = wp.vec3(normal[y, x, 0], normal[y, x, 1], normal[y, x, 2])
    colour = wp.vec3(albedo[y, x, 0], albedo[y, x, 1], albedo[y, x, 2])
    roughness = finish[y, x, 0]
    metallic = finish[y, x, 1]
    clear = finish[y, x, 2]
    at = eye + along * depth[y, x] + n * (2e-4 + 1e-4 * depth[y, x])
    base = wp.lerp(wp.vec3(0.04, 0.04, 0.04), colour, metallic)
    matt = colour * ((1.0 - metallic) * (1.0 - clear) / wp.pi)
    ambient = smoothed(depth, normal, gathered, camera, x, y, 0)
    out = matt * wp.pi
    out = wp.cw_mul(out, ambient)
    if wp.dot(n, light.sun) > 0.0 and wp.length(light.sun_colour) > 0.0:
        hit = wp.mesh_query_ray(mesh, at, light.sun, 1.0e4)
        if not hit.result:
            facing = matt * wp.dot(n, light.sun) + glare(n, -way, light.sun, roughness, base)
            out += wp.cw_mul(facing, light.sun_colour)
    if light.lamps > 0:
        out += wp.cw_mul(matt, smoothed(depth, normal, gathered, camera, x, y, 3))
        share = smoothed(depth, normal, gathered, camera, x, y, 6)
        out += lamp_glare(lamp, light.lamps, at, n, way, roughness, base) * share[0]
    mirrored = way - n * (2.0 * wp.dot(way, n))
    schlick = wp.pow(1.0 - wp.max(-wp.dot(way, n), 0.0), 5.0)
    shine = base + (wp.vec3(1.0, 1.0, 1.0) - base) * (schlick * (1.0 - roughness))
    seen = wp.lerp(sky(light, panorama, mirrored), ambient, wp.min(roughness * 1.5, 1.0))
    out += wp.cw_mul(shine, seen)
    out += wp.cw_mul(colour * (clear * (1.0 - metallic)), wp.lerp(sky(light, panorama, way), ambient, 0.5))
    for k in range(3):
        radiance[y, x, k] = out[k]
