"""Physics: loose things fall, collide and come to rest in MuJoCo; what it finds is kept as poses and contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from tuckpoint.errors import InputError, MissingExtra, UnfitScene
from tuckpoint.scene.mesh import Mesh
from tuckpoint.scene.scene import Contact, Pose

THIN = 0.01  # metres that a flat piece is given downwards: MuJoCo knows no hull without volume
STILL_M_S, STILL_S = 0.02, 0.2
LOWEST_M = -10.0
ROLLING_M = (0.005, 0.005)  # of friction against twisting and rolling, as of goods on wood
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Physics:
    """How things fall.

    `before_s` of falling before the first frame (None: until all is at rest for one frame, 0 for a clip), at most
    `settle_s`; `friction` coefficient of all surfaces; `step_s` of the integration; `gravity_m_s2`.
    """

    before_s: float | None = None
    settle_s: float = 8.0
    friction: float = 0.7
    step_s: float = 0.002
    gravity_m_s2: float = 9.81

    def __post_init__(self) -> None:
        if not 0 < self.step_s <= 0.01 or not self.settle_s > 0 or self.friction < 0 or (self.before_s or 0) < 0:
            raise InputError(
                f"physics: steps of {self.step_s} s for {self.settle_s} s, friction {self.friction}, before "
                f"{self.before_s} s; give a step up to 0.01 s, a time above 0, and no negative numbers"
            )


@dataclass(frozen=True)
class Body:
    """A thing for physics: where it starts (or, if not `loose`, where it is in each frame), and how it moves then."""

    name: str
    mesh: Mesh
    poses: tuple[Pose, ...]
    loose: bool
    density_kg_m3: float = 500.0
    velocity_m_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spin_deg_s: float = 0.0


@dataclass(frozen=True)
class Rest:
    """What came of it: poses per frame of every loose body, contacts, and what each lies on in the first frame."""

    poses: Mapping[str, tuple[Pose, ...]]
    contacts: tuple[Contact, ...]
    supports: Mapping[str, str]


def settled(bodies: Sequence[Body], physics: Physics, *, frames: int, fps: float) -> Rest:
    """Let loose bodies fall among the others; the same input gives the same poses on one build of MuJoCo.

    Raises MissingExtra without MuJoCo, UnfitScene if they do not come to rest or fall out of the world.
    """
    try:
        mujoco: Any = import_module("mujoco")
    except ImportError:
        raise MissingExtra("mujoco-core", extra="physics") from None
    model, data, ids = _world(mujoco, bodies, physics)
    before = physics.before_s if physics.before_s is not None or frames == 1 else 0.0
    if before is None:
        _until_rest(mujoco, model, data, bodies, ids, physics)
    else:
        _run(mujoco, model, data, bodies, ids, start=-before, seconds=before, fps=fps)
    poses: dict[str, list[Pose]] = {body.name: [] for body in bodies if body.loose}
    contacts: list[Contact] = []
    supports = _supports(mujoco, model, data, bodies, ids)
    for frame in range(frames):
        if frame > 0:
            _run(mujoco, model, data, bodies, ids, start=(frame - 1) / fps, seconds=1 / fps, fps=fps)
        for name, kept in poses.items():
            kept.append(_pose(data, ids[name], name))
        contacts += _contacts(data, model, frame, ids)
    return Rest({name: tuple(kept) for name, kept in poses.items()}, tuple(contacts), supports)


def _world(mujoco: Any, bodies: Sequence[Body], physics: Physics) -> tuple[Any, Any, dict[str, int]]:
    spec = mujoco.MjSpec()
    spec.option.timestep = physics.step_s
    spec.option.gravity = [0.0, 0.0, -physics.gravity_m_s2]
    for body in bodies:
        _add(mujoco, spec, body, physics)
    try:
        model = spec.compile()
    except ValueError as error:
        raise InputError(
            f"physics cannot take these things: {error}; see the mesh and density of the one named"
        ) from None
    data = mujoco.MjData(model)
    ids = {body.name: mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, body.name) for body in bodies}
    for body in bodies:
        if body.loose:
            at = model.jnt_dofadr[model.body_jntadr[ids[body.name]]]
            data.qvel[at : at + 3] = body.velocity_m_s
            data.qvel[at + 3 : at + 6] = _own_spin(body)
    mujoco.mj_forward(model, data)
    return model, data, ids


def _own_spin(body: Body) -> Floats:
    """The spin about the world's z in the body's own frame, as MuJoCo wants it."""
    spin: Floats = np.array([0.0, 0.0, np.radians(body.spin_deg_s)]) @ body.poses[0].matrix()[:3, :3]
    return spin


def _add(mujoco: Any, spec: Any, body: Body, physics: Physics) -> None:
    pose = body.poses[0]
    moves = not body.loose and len(body.poses) > 1
    made = spec.worldbody.add_body(name=body.name, pos=pose.position, quat=pose.rotation, mocap=moves)
    if body.loose:
        made.add_freejoint()
    for number, points in enumerate(body.mesh.hulls or (body.mesh.vertices,)):
        name = f"{body.name}/{number}"
        solid = spec.add_mesh(name=name)
        solid.uservert = _hull(np.asarray(points, float), body.name).ravel().tolist()
        made.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, density=body.density_kg_m3,
            friction=[physics.friction, *ROLLING_M], solref=[2 * physics.step_s, 1.0], condim=6,
        )  # fmt: skip


def _hull(points: Floats, name: str) -> Floats:
    """The corners of the convex hull; what is flat is made thick downwards."""
    low, high = points.min(0), points.max(0)
    if (high - low).min() < 1e-4:
        flat = int((high - low).argmin())
        lower = points.copy()
        lower[:, flat] -= THIN
        points = np.concatenate([points, lower])
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except (QhullError, ValueError):
        raise InputError(f'"{name}" has no volume that physics could hold; do not drop it') from None


def _until_rest(
    mujoco: Any, model: Any, data: Any, bodies: Sequence[Body], ids: Mapping[str, int], physics: Physics
) -> None:
    """Step until nothing has moved for a while."""
    still, need = 0.0, STILL_S
    while data.time < physics.settle_s:
        mujoco.mj_step(model, data)
        # the velocity of a rolling edge counts as well as that of the centre: 0.1 m is the size of goods
        speed = float(np.abs(data.qvel.reshape(-1, 6) * [1, 1, 1, 0.1, 0.1, 0.1]).max())
        still = still + physics.step_s if speed < STILL_M_S else 0.0
        if still >= need:
            return
        if data.qpos.reshape(-1, 7)[:, 2].min() < LOWEST_M - 1:
            break
    for body in bodies:
        _pose(data, ids[body.name], body.name)
    raise UnfitScene(
        f"things still move after {physics.settle_s:g} s; give physics.settle_s more, or more friction",
        why="things did not come to rest",
    )


def _run(
    mujoco: Any, model: Any, data: Any, bodies: Sequence[Body], ids: Mapping[str, int], *, start: float, seconds: float,
    fps: float,
) -> None:  # fmt: skip
    """Step through a time; what is moved by the specification is led along its poses."""
    led = [body for body in bodies if not body.loose and len(body.poses) > 1]
    steps = round(seconds / model.opt.timestep)
    for step in range(steps):
        for body in led:
            place = min(max((start + (step + 1) * model.opt.timestep) * fps, 0.0), len(body.poses) - 1.0)
            low = min(int(place), len(body.poses) - 2)
            one, other, share = body.poses[low], body.poses[low + 1], place - low
            at = model.body_mocapid[ids[body.name]]
            data.mocap_pos[at] = np.array(one.position) * (1 - share) + np.array(other.position) * share
            turn = np.array(one.rotation) * (1 - share) + np.array(other.rotation) * share
            data.mocap_quat[at] = turn / np.linalg.norm(turn)
        mujoco.mj_step(model, data)


def _pose(data: Any, number: int, name: str) -> Pose:
    at = [float(value) for value in data.xpos[number]]
    if not np.isfinite(at).all() or at[2] < LOWEST_M:
        raise UnfitScene(f'"{name}" fell out of the world; put something below it', why="a thing fell out of the world")
    w, x, y, z = (float(value) for value in data.xquat[number])
    return Pose((at[0], at[1], at[2]), (w, x, y, z))


def _contacts(data: Any, model: Any, frame: int, ids: Mapping[str, int]) -> list[Contact]:
    """The pairs that touch, each once."""
    names = {number: name for name, number in ids.items()}
    pairs = {
        tuple(sorted((names[int(model.geom_bodyid[a])], names[int(model.geom_bodyid[b])])))
        for a, b in np.asarray(data.contact.geom).reshape(-1, 2)[: data.ncon]
    }
    return [Contact(frame, one, other) for one, other in sorted(pairs) if one != other]


def _supports(mujoco: Any, model: Any, data: Any, bodies: Sequence[Body], ids: Mapping[str, int]) -> dict[str, str]:
    """What holds each loose body up: the one that pushes it upwards most."""
    names = {number: name for name, number in ids.items()}
    up: dict[str, dict[str, float]] = {body.name: {} for body in bodies if body.loose}
    force = np.zeros(6)
    for number in range(data.ncon):
        contact = data.contact[number]
        mujoco.mj_contactForce(model, data, number, force)
        lift = float((np.asarray(contact.frame).reshape(3, 3).T @ force[:3])[2])  # on the second of the two
        one, other = (names[int(model.geom_bodyid[geom])] for geom in contact.geom)
        for held, holder, by in ((other, one, lift), (one, other, -lift)):
            if held in up:
                up[held][holder] = up[held].get(holder, 0.0) + by
    return {held: max(by, key=lambda holder: by[holder]) for held, by in up.items() if by and max(by.values()) > 0}
