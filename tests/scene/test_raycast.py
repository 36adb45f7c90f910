import json
import os
import subprocess
import sys

import numpy as np
import pytest
from scene.stages import ball, box, camera, quad, stage
from scipy.ndimage import binary_erosion

from tuckpoint.errors import InputError
from tuckpoint.scene.renderers.raycast import Raycast
from tuckpoint.scene.scene import Lamp, Material, Pose, Sky, Sun, Texture, looking, turned

LIT = Raycast(device="cpu")


def rendered(shown, frame=0, *, shaded=False):
    return LIT.render(shown, frame, shaded=shaded)


def at(*position):
    return (Pose(tuple(map(float, position))),)


def rays(view):
    y, x = np.mgrid[: view.height, : view.width] + 0.5
    return np.stack([(x - view.centre_px[0]) / view.focal_px[0], (y - view.centre_px[1]) / view.focal_px[1],
                     np.ones_like(x)], -1)  # fmt: skip


def test_a_sphere_has_the_depth_normals_and_area_of_the_closed_form():
    view = camera(size=(256, 256), focal=300.0)
    found = rendered(stage([ball(1.0, 300)], view=view))
    d = rays(view)
    b, c, dd = d[..., 2] * 5, 24.0, (d**2).sum(-1)  # |t d - (0, 0, 5)| = 1
    root = b**2 - dd * c
    true = (b - np.sqrt(np.maximum(root, 0))) / dd
    inner = root > 0.02
    assert np.abs(found.depth[inner] - true[inner]).max() < 2e-3
    assert abs((found.instance == 1).sum() / (root > 0).sum() - 1) < 0.004
    world = (d * true[..., None]) @ view.pose(0).matrix()[:3, :3].T + view.pose(0).position
    assert np.abs(found.normal[inner] - world[inner]).max() < 0.02


def test_a_level_plane_is_exact():
    view = camera((0.0, -4.0, 2.0), (0.0, 0.0, 0.0), size=(64, 64), focal=100.0)
    found = rendered(stage([quad(half=1.5)], view=view))
    down = rays(view) @ view.pose(0).matrix()[:3, :3].T
    on = found.instance == 1
    assert on.sum() > 500
    assert np.allclose(found.depth[on], (-2.0 / down[..., 2])[on], rtol=1e-6)
    assert np.allclose(found.normal[on], [0, 0, 1], atol=1e-6)


def test_nothing_is_told_as_nothing():
    found = rendered(stage([ball(0.2)]), shaded=True)
    void = found.instance == 0
    assert void.any()
    assert np.isinf(found.depth[void]).all()
    assert not found.normal[void].any()
    assert not found.part[void].any()
    assert (found.radiance[void] > 0).all()
    assert found.flow is None
    assert found.hidden_back is None


def test_labels_are_whole_and_belong_together():
    found = rendered(stage([ball(), quad(half=3.0)], poses=[at(0, 0, 0.5), at(0, 0, 0)], view=camera((0.0, -5.0, 2.0))))
    assert set(np.unique(found.instance)) == {0, 1, 2}
    assert set(np.unique(found.part[found.instance == 1])) == {1, 2}
    assert set(np.unique(found.part[found.instance == 2])) <= {3}
    assert found.part.dtype == found.instance.dtype == np.uint16


def test_parts_lie_where_they_are():
    found = rendered(stage([ball()]))
    rows = np.nonzero(found.part)[0]
    assert (found.part[: 64 // 2][found.part[: 64 // 2] > 0] == 2).mean() > 0.98  # north, above
    assert rows.size


def test_a_moving_box_flows_as_its_corners_do_there_and_back():
    poses = tuple(Pose((0.1 * k, 0.0, 0.05 * k), turned((0.0, 0.0, 1.0), 4.0 * k)) for k in range(3))
    shown = stage([box()], poses=[poses], frames=3)
    found, view = rendered(shown, 1), shown.scene.camera
    on = np.argwhere(found.instance == 1)
    y, x = on[len(on) // 3]
    seen = np.array([(x + 0.5 - 48) / 80, (y + 0.5 - 32) / 80, 1.0]) * found.depth[y, x]
    world = view.pose(0).matrix()[:3, :3] @ seen + view.pose(0).position
    own = np.linalg.inv(poses[1].matrix()) @ [*world, 1.0]
    for pose, flow in ((poses[2], found.flow), (poses[0], found.flow_back)):
        there, _ = view.project((pose.matrix() @ own)[None, :3])
        assert np.allclose(flow[y, x], there[0] - [x + 0.5, y + 0.5], atol=2e-3)
    assert np.nanmedian(found.flow[..., 0]) > 1  # it goes right
    assert np.nanmedian(found.flow_back[..., 0]) < -1


def test_a_moving_camera_moves_what_stands():
    eyes = tuple(looking((0.2 * k, -5.0, 0.0), (0.2 * k, 0.0, 0.0)) for k in range(2))
    found = rendered(stage([quad((0, -1, 0), 9.0)], view=camera(poses=eyes), frames=2), 0)
    assert np.allclose(found.flow, [-0.2 / 5 * 80, 0.0], atol=1e-3)
    assert found.hidden[:, :3].all()  # it leaves the picture on the left
    assert not found.hidden[:, 4:].any()


def test_what_another_thing_will_cover_is_hidden():
    wall, block = quad((0, -1, 0), 9.0), box(0.5)
    poses = [at(0, 1, 0), (Pose((-1.0, 0.0, 0.0)), Pose((0.0, 0.0, 0.0)))]
    found = rendered(stage([wall, block], poses=poses, frames=2), 0)
    assert found.hidden[32, 48]  # the wall, where the box will be
    assert not found.hidden[32, 80]
    front = (found.instance == 2) & (found.normal[..., 1] < -0.9)  # its side is seen now, and then no more
    assert front.any()
    assert not found.hidden[front].any()


def test_each_thing_alone_holds_what_is_seen_of_it_and_more_when_covered():
    found = rendered(stage([ball(), box(0.3)], poses=[at(0, 0, 0), at(0.2, -2, 0)]))
    for number in (1, 2):
        assert not ((found.instance == number) & ~found.silhouettes[number - 1]).any()
    assert found.silhouettes[0].sum() > (found.instance == 1).sum()
    assert found.silhouettes[1].sum() == (found.instance == 2).sum()


def test_what_the_frame_cuts_is_counted_beyond_it():
    whole = rendered(stage([ball(0.5)])).silhouettes.sum()
    found = rendered(stage([ball(0.5)], poses=[at(-3, 0, 0)]))
    assert 0 < found.silhouettes.sum() < 0.7 * found.extent[0]
    assert found.extent[0] > whole  # off the axis a sphere looks larger
    assert rendered(stage([ball(0.5)])).extent[0] == whole


def test_a_triangle_through_the_plane_of_the_camera_is_right():
    found = rendered(
        stage([quad(half=50.0)], view=camera((0.0, 0.0, 1.0), (0.0, 10.0, 1.0), size=(32, 32), focal=16.0))
    )
    assert (found.instance[16:] == 1).all()  # the ground below the horizon, also beside and under the camera
    assert found.depth[31, 0] == pytest.approx(16 / 15.5, rel=1e-5)
    assert (found.instance[:15] == 0).all()


def test_uv_and_textures_lie_as_they_should():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0], image[0, 1], image[1, 0] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    wall = quad((0, -1, 0), 1.0)
    material = Material((1.0, 1.0, 1.0), texture=Texture("by hand"))
    found = rendered(stage([wall], material=material, textures={0: image}))
    inside = np.argwhere(found.instance == 1)
    (top, left), (bottom, right) = inside.min(0), inside.max(0)
    quarter = (bottom - top) // 4, (right - left) // 4
    assert found.uv[top, left, 0] < 0.05 < 0.95 < found.uv[top, left, 1]
    assert found.albedo[top + quarter[0], left + quarter[1]].argmax() == 0  # the first texel: top left
    assert found.albedo[top + quarter[0], right - quarter[1]].argmax() == 1
    assert found.albedo[bottom - quarter[0], left + quarter[1]].argmax() == 2


def test_a_shadow_falls_where_geometry_says():
    view = camera((0.0, 0.0, 12.0), (0.0, 0.0, 0.0), size=(120, 120), focal=120.0)
    sun = Sun(elevation_deg=45.0, azimuth_deg=0.0)  # from +x: shadows fall to -x, as long as things are high
    shown = stage([quad(half=5.0), box(0.5)], view=view, poses=[at(0, 0, 0), at(0, 0, 0.5)], sun=sun)
    light = rendered(shown, shaded=True).radiance.sum(-1)
    pixel = lambda x, y: tuple(int(v) for v in reversed(view.project(np.array([[x, y, 0.0]]))[0][0]))  # noqa: E731
    assert light[pixel(-1.0, 0.0)] < 0.6 * light[pixel(-2.0, 0.0)]
    assert light[pixel(-1.4, 0.0)] < 0.6 * light[pixel(-1.7, 0.0)]  # it ends at -1.5
    assert light[pixel(1.0, 0.0)] > 0.9 * light[pixel(2.0, 0.0)]


def test_a_plane_under_one_sun_is_as_bright_as_lambert_says():
    dark = Sky((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    sun = Sun(elevation_deg=30.0, irradiance=2.0, colour=(1.0, 1.0, 1.0))
    view = camera((0.0, 0.0, 8.0), (0.0, 0.0, 0.0))
    shown = stage([quad(half=9.0)], view=view, sun=sun, sky=dark, material=Material((0.4, 0.4, 0.4), roughness=1.0))
    light = rendered(shown, shaded=True).radiance[32, 48]
    assert light == pytest.approx(0.4 / np.pi * 2.0 * 0.5, rel=0.15)


LOOKS = {
    "material": [{"colour": (0.1, 0.6, 0.2)}, {"roughness": 0.1}, {"metallic": 1.0}, {"transmission": 0.8}],
    "sun": [{"elevation_deg": 20.0}, {"azimuth_deg": 10.0}, {"irradiance": 6.0}, {"colour": (1.0, 0.2, 0.2)}],
    "sky": [{"zenith": (0.9, 0.1, 0.1)}, {"horizon": (0.9, 0.1, 0.1)}, {"ground": (0.9, 0.1, 0.1)}, {"strength": 3.0}],
    "lamp": [{"target": (0.0, 3.0, 0.0)}, {"size_m": 2.0}, {"power_w": 400.0}, {"colour": (1.0, 0.1, 0.1)}],
}


@pytest.mark.parametrize(
    ("kind", "change"), [(kind, change) for kind, rows in LOOKS.items() for change in rows], ids=str
)
def test_every_setting_of_the_light_moves_the_picture_and_no_label(kind, change):
    def shown(**changes):
        made = {"material": {}, "sun": {}, "sky": {}, "lamp": {"position": (1.0, -1.0, 3.0)}}
        made[kind] = {**made[kind], **changes}
        return rendered(
            stage([ball(), quad(half=3.0)], poses=[at(0, 0, 1), at(0, 0, 0)], view=camera((0.0, -5.0, 2.0)),
                  material=Material(**made["material"]), sun=Sun(**made["sun"]), sky=Sky(**made["sky"]),
                  lamps=(Lamp(**made["lamp"]),)), shaded=True)  # fmt: skip

    plain, other = shown(), shown(**change)
    assert np.abs(plain.radiance - other.radiance).max() > 0.01
    assert np.array_equal(plain.instance, other.instance)
    assert np.array_equal(plain.depth, other.depth)


def test_an_environment_map_is_seen_and_turns(tmp_path):
    from PIL import Image

    image = np.zeros((32, 64, 3), np.uint8)
    image[:, 32:48] = (0, 255, 0)  # a quarter turn to the right of +y
    Image.fromarray(image).save(tmp_path / "sky.png")
    view = camera((0.0, -9.0, 0.0), (0.0, 0.0, 0.0), size=(64, 32), focal=32.0)
    seen = [
        rendered(stage([ball(0.01)], view=view, sky=Sky(map=str(tmp_path / "sky.png"), turn_deg=turn)), shaded=True)
        for turn in (0.0, 90.0)
    ]
    green = [found.radiance[4, :, 1] > 0.5 for found in seen]
    assert green[0][36:60].all()
    assert not green[0][:28].any()
    assert green[1][4:28].all()
    with pytest.raises(InputError, match="no file"):
        rendered(stage([ball()], sky=Sky(map="no/such.png")), shaded=True)


@pytest.mark.parametrize("setting", ["sky_rays", "lamp_rays"])
def test_more_rays_give_another_picture_of_the_same_brightness(setting):
    shown = stage([ball(), quad(half=3.0)], poses=[at(0, 0, 1), at(0, 0, 0)], view=camera((0.0, -5.0, 2.0)),
                  lamps=(Lamp((1.0, -1.0, 3.0), size_m=1.5),))  # fmt: skip
    few, many = (Raycast(device="cpu", **{setting: count}).render(shown, 0).radiance for count in (1, 16))
    assert not np.array_equal(few, many)
    assert few.mean() == pytest.approx(many.mean(), rel=0.03)


def test_a_lamp_grows_weaker_with_the_square_of_its_distance():
    dark = Sky((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    view = camera((0.0, -4.0, 6.0), (0.0, 0.0, 0.0))
    light = [
        rendered(
            stage([quad(half=2.0)], view=view, sun=None, sky=dark, lamps=(Lamp((0.0, 0.0, high), size_m=0.05),),
                  material=Material(roughness=1.0)), shaded=True
        ).radiance[32, 48].sum()
        for high in (2.0, 4.0)
    ]  # fmt: skip
    assert light[0] / light[1] == pytest.approx(4, rel=0.1)


def test_the_same_bytes_again_also_in_a_new_process():
    shown = stage([ball(), quad(half=3.0)], poses=[at(0, 0, 1), at(0, 0, 0)])
    first, again = (rendered(shown, shaded=True) for _ in range(2))
    for name in ("instance", "depth", "normal", "silhouettes", "radiance"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    code = (
        "import sys, json, hashlib; sys.path.insert(0, 'tests')\n"
        "from scene.stages import *; from tuckpoint.scene.renderers.raycast import Raycast\n"
        "p = [(Pose((0., 0., 1.)),), (Pose((0., 0., 0.)),)]\n"
        "b = Raycast(device='cpu').render(stage([ball(), quad(half=3.0)], poses=p), 0, shaded=False)\n"
        "print(json.dumps([hashlib.sha256(x.tobytes()).hexdigest() for x in (b.instance, b.depth, b.normal)]))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    import hashlib

    here = [hashlib.sha256(x.tobytes()).hexdigest() for x in (first.instance, first.depth, first.normal)]
    assert json.loads(told.splitlines()[-1]) == here


@pytest.mark.parametrize("wrong", [{"sky_rays": 3}, {"lamp_rays": 0}, {"device": "cuda"}])
def test_wrong_settings_are_refused(wrong):
    from tuckpoint.scene.renderers.raycast import _warp

    if wrong.get("device") == "cuda" and _warp().is_cuda_available():
        pytest.skip("there is one here")
    with pytest.raises(InputError, match=next(iter(wrong))):
        Raycast(**wrong).render(stage([ball()]), 0)


def test_it_renders_where_no_folder_of_the_user_can_be_written(tmp_path):
    code = """
import json, pathlib
from tuckpoint import pictures
spec = {"name": "x", "image": {"width": 16, "height": 16}, "things": {"ball": {"family": "ball"}}}
print(pictures.render(spec, "out", 1, labels=["box"], shaded=False, workers=1).about.pictures)
"""
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/cache", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], env=nowhere, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "1", done.stderr
    assert done.stderr == ""


def test_antialiasing_is_the_mean_of_finer_samples_and_leaves_labels_alone():
    shown = stage([box(1.0)], view=camera((0.0, -6.0, 2.0), size=(48, 32), focal=40.0))
    plain, fine = (Raycast(device="cpu", antialias=n).render(shown, 0) for n in (1, 4))
    assert np.array_equal(plain.instance, fine.instance)
    assert np.array_equal(plain.depth, fine.depth)
    assert fine.radiance.shape == plain.radiance.shape
    inside = binary_erosion(plain.instance > 0, iterations=2)
    assert np.abs(plain.radiance - fine.radiance)[inside].mean() < 0.02 * plain.radiance.mean()
    wide = stage([box(1.0)], view=camera((0.0, -6.0, 2.0), size=(192, 128), focal=160.0))
    large = Raycast(device="cpu").render(wide, 0).radiance.reshape(32, 4, 48, 4, 3).mean(axis=(1, 3))
    assert np.allclose(fine.radiance, large, atol=1e-6)
    with pytest.raises(InputError, match="antialias"):
        Raycast(antialias=5)
