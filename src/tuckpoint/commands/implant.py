"""`tuckpoint implant`: findings into healthy images, with the mask and all that is known; and the checks of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError
from tuckpoint.files import check_folder, check_new, write_text

if TYPE_CHECKING:
    from tuckpoint.implant.making import Made, Order
    from tuckpoint.implant.request import Request

ABOUT = """Place early findings into real healthy images: the image, the mask, the alpha, every drawn value and the
untouched host are kept. `check` holds what was made against its hosts and a few real findings, and blocks what
fails."""
MORE = """examples:
  tuckpoint implant lung-nodule healthy_ct/ -o out/ --format dicom nifti nnunet
  tuckpoint implant lung-nodule healthy/ --bank real_nodules/ -n 5000 --null 0.1 -o out/
  tuckpoint implant lung-nodule healthy/ --calibrate real_nodules/ --size 4 8 --kinds solid lobed -o out/
  tuckpoint implant surface-defect good_tiles/ --kinds crack hole chip scratch -o out/ --format coco
  tuckpoint implant radiograph-nodule films/ --lungs masks/ --wedge wedge.csv -o out/ --format dicom png
  tuckpoint implant check out/ --real-positives few/ --real-negatives healthy/ -o report.html
  tuckpoint implant sheet out/ --real-positives few/ -o reader/ --key key.json
  tuckpoint implant answers reader/answers.csv --key key.json

images are DICOM series in folders, .nii .nii.gz .nrrd .mha .npz .npy (CT, in Hounsfield units), .png .jpg (surfaces),
or single DICOM films (CR, DX) and .png (radiographs; what is implanted into those is UNVALIDATED, and says so).
NAME_mask beside NAME is the mask of a real finding, and what stands before a double underscore in NAME is the patient.
A run that was stopped goes on when the same is asked again; what it had finished waits in OUT.unfinished. Beside OUT
stands its recipe, which `tuckpoint run OUT.recipe.yaml` repeats.
`check` ends with 0 if all that could be checked holds, else with 3. `sheet` is for an expert who says which of two is
implanted."""
BLOCKED = 3
_PLAIN = ("what", "count", "each", "null", "seed", "attached", "gain", "burned_in")  # said as they go into a request


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint implant`."""
    places = place.add_subparsers(title="what", metavar="WHAT", dest="what", required=True)

    def what(name: str, line: str) -> argparse.ArgumentParser:
        verb = places.add_parser(name, help=line, description=line[:1].upper() + line[1:] + ".")
        verb.add_argument("--traceback", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        return verb

    nodule = what("lung-nodule", "nodules into CT volumes")
    _making(nodule, "healthy CT volumes: a folder, or one file")
    nodule.add_argument("--bank", type=Path, metavar="DIR", help="few real nodules with masks, to be laid in elsewhere")
    nodule.add_argument(
        "--calibrate", type=Path, metavar="DIR", help="real nodules whose size, sharpness and contrast are to be met"
    )
    nodule.add_argument("--size", type=float, nargs=2, metavar=("LOW", "HIGH"), help="diameters in mm (default: 4 12)")
    nodule.add_argument("--attached", type=float, default=0.45, metavar="SHARE", help="attached to vessels or walls")
    nodule.add_argument("--burned-in", action="store_true", help="go on although text seems burned into the pixels")
    nodule.add_argument("--lungs", type=Path, metavar="DIR", help="lung masks of the same names (default: found)")
    _spacing(nodule)
    film = what("radiograph-nodule", "nodules onto chest radiographs, UNVALIDATED: by physics alone")
    _making(film, "healthy chest radiographs, DICOM (CR, DX) or .png: a folder, or one file")
    film.add_argument("--lungs", type=Path, metavar="DIR", help="lung masks, .png of the films' names (none is sought)")
    film.add_argument(
        "--gain", type=float, metavar="GREY",
        help="grey levels that one mm of tissue adds, as MONOCHROME2 shows them; below 0 where tissue is darker",
    )  # fmt: skip
    film.add_argument(
        "--wedge", type=Path, metavar="CSV", help="the gain from a step wedge: columns thickness_mm (of tissue), grey"
    )
    film.add_argument("--burned-in", action="store_true", help="go on although text seems burned into the pixels")
    film.add_argument("--size", type=float, nargs=2, metavar=("LOW", "HIGH"), help="diameters in mm (default: 6 30)")
    film.add_argument("--spacing", type=float, nargs=2, metavar=("ROW", "COLUMN"), help="mm a pixel, for .png")
    surface = what("surface-defect", "defects onto photographs of surfaces")
    _making(surface, "defect-free photographs: a folder, or one file")
    check = what("check", "hold what was implanted against its hosts and real findings")
    check.add_argument("folder", type=Path, metavar="OUT", help="the folder that -o named")
    check.add_argument("--real-positives", type=Path, metavar="DIR", help="few real findings, of other patients")
    check.add_argument("--real-negatives", type=Path, metavar="DIR", help="healthy images, of other patients")
    _any_spacing(check)
    shared.seed(check)
    shared.reports(check)
    shared.progress(check)
    reader = what("sheet", "pictures for an expert: which of two is implanted")
    reader.add_argument("folder", type=Path, metavar="OUT", help="the folder that -o named")
    reader.add_argument("--real-positives", type=Path, metavar="DIR", required=True, help="real findings with masks")
    reader.add_argument(
        "--key", type=Path, metavar="FILE", required=True, help="where the key goes, away from the reader"
    )
    reader.add_argument("--pairs", type=shared.whole, default=40, metavar="N", help="pairs at most (default: 40)")
    _any_spacing(reader)
    shared.seed(reader)
    shared.output(reader, "a new folder for the reader")
    answers = what("answers", "hold a filled sheet against its key")
    answers.add_argument("file", type=Path, metavar="CSV", help="the filled answers.csv")
    answers.add_argument("--key", type=Path, metavar="FILE", required=True, help="the key of this sheet")


def _making(verb: argparse.ArgumentParser, what: str) -> None:
    verb.add_argument("hosts", type=Path, metavar="HOSTS", help=what)
    verb.add_argument(
        "-n", dest="count", type=shared.whole, metavar="N", help="findings in all (default: one an image)"
    )
    verb.add_argument("--each", type=shared.whole, default=1, metavar="N", help="findings in one image (default: 1)")
    verb.add_argument("--kinds", nargs="+", metavar="KIND", help="only these kinds")
    verb.add_argument(
        "--null",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share made at zero contrast, as a control (default: 0)",
    )
    verb.add_argument(
        "--format", nargs="+", default=[], metavar="NAME",
        help="also as nifti, nrrd, mha, dicom, nnunet (volumes), coco, png (photographs), each in OUT/NAME; "
        "radiographs as all but nnunet",
    )  # fmt: skip
    shared.running(verb)
    shared.output(verb, "a new folder")


def _spacing(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--spacing", type=float, nargs=3, metavar=("Z", "Y", "X"), help="mm, for .npy files, which tell none"
    )


def _any_spacing(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--spacing", type=float, nargs="+", metavar="MM",
        help="of real ones that tell none: Z Y X of .npy, ROW COLUMN of radiographs as .png",
    )  # fmt: skip


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    verbs = {"check": _checked, "sheet": _sheet, "answers": _answers}
    return verbs.get(options.what, _made)(options, progress)


def _made(options: argparse.Namespace, progress: Any) -> tuple[str, int]:
    from tuckpoint.implant.request import Request

    said = {name: value for name, value in vars(options).items() if value is not None}
    given: dict[str, Any] = {
        **{name: str(said[name]) for name in ("hosts", "lungs", "bank", "calibrate", "wedge") if name in said},
        **{name: tuple(said[name]) for name in ("kinds", "size", "spacing") if name in said},
        **{name: said[name] for name in _PLAIN if name in said},
    }
    request = Request(**given, formats=tuple(dict.fromkeys(options.format)))
    running = {"workers": options.workers, "overwrite": options.overwrite, "progress": progress}
    return _filled(request, options.output, **running), 0


def again(
    recipe: Path, *, output: Path | None = None, workers: int | None = None, overwrite: bool = False, progress: Any
) -> tuple[str, int]:
    """Repeat a recipe into `output`, or compare with the folder beside it; what to tell, and the exit status."""
    from tuckpoint.asked import cores
    from tuckpoint.implant import request as requests

    asked = requests.request_of(recipe).seen_from(recipe.parent)
    if output is not None:
        return _filled(asked, output, workers=workers, overwrite=overwrite, progress=progress), 0
    old = recipe.with_name(recipe.name.removesuffix(requests.BESIDE))
    return requests.again(asked, old, workers=cores(workers), progress=progress), 0


def _filled(request: Request, out: Path, *, workers: int | None, overwrite: bool, progress: Any) -> str:
    """Implant into a folder, and write the recipe beside it; what to tell."""
    from dataclasses import replace

    from tuckpoint.asked import cores
    from tuckpoint.implant import making, sets
    from tuckpoint.implant.request import BESIDE, order_of

    check_folder(out, overwrite=overwrite, ours=sets.is_set)
    beside = out.parent / f"{out.name}{BESIDE}"
    check_new(beside, overwrite=overwrite)
    order = order_of(request)
    made = making.make(
        order, out, also=request.formats, workers=cores(workers), overwrite=overwrite, progress=progress
    )  # fmt: skip
    write_text(beside, replace(request, count=order.asked.count).to_yaml(), overwrite=True)
    again = f"again: tuckpoint run {beside}"
    return "\n".join([*_lines(order, made, out), again, *(f"{out / name}/" for name in request.formats)])


def _lines(order: Order, made: Made, out: Path) -> list[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(made.kinds.items()))
    lines = [f"{sum(made.kinds.values())} findings ({counts}) and {made.nulls} nulls in {made.images} images"]
    if (medians := order.settings.get("calibration")) is not None:
        told = (
            f"{k} {medians['before'][k]:.3g} to {medians['after'][k]:.3g}, real {v:.3g}"
            for k, v in medians["wanted"].items()
        )
        lines.append(f"calibrated: {'; '.join(told)}")
    if (gain := order.settings.get("gain")) is not None:
        from tuckpoint.implant.radiograph_gain import Gain

        lines = [order.unvalidated, *lines, f"gain: {Gain(**gain)}"]
        if made.assumed:
            lines.append(
                f"{made.assumed} of {made.hosts} films show no edge sharp enough: their blur is assumed, not measured"
            )
    if made.fallback:
        lines.append(f"{made.fallback} of them stand where no place near the target kept the rule of free or attached")
    return [
        *lines,
        f"{out}: images, masks, alphas, {'thicknesses, ' * bool(order.unvalidated)}hosts, findings.json, record.json",
        f"check: tuckpoint implant check {out}",
    ]


def _checked(options: argparse.Namespace, progress: Any) -> tuple[str, int]:
    from tuckpoint.implant import sets
    from tuckpoint.implant.check import blocked, check
    from tuckpoint.implant.detectability import detectability
    from tuckpoint.record import Record
    from tuckpoint.report.implant import implant_page, lines
    from tuckpoint.seed import Seed

    shared.check_reports(options)
    pairs = sets.load(options.folder)
    if progress is not None:
        progress("checking", 0.3)
    positives, negatives = (
        None if place is None else _reals(place, options, pairs)
        for place in (options.real_positives, options.real_negatives)
    )
    seed = Seed(options.seed).child("implant", "check")
    checks = check(pairs, seed, positives=positives, negatives=negatives)
    curves = detectability(pairs, seed.child("detectability"))
    record = Record.load(options.folder / "record.json")
    for path in options.output:
        told = {"checks": [one.to_dict() for one in checks], "detectability": curves.to_dict()}
        page = (
            implant_page(pairs, checks, curves, record) if path.suffix == ".html" else json.dumps(told, indent=1) + "\n"
        )
        write_text(path, page, overwrite=options.overwrite)
    return "\n".join([*lines(checks, curves), *(f"report: {path}" for path in options.output)]), (
        BLOCKED if blocked(checks) else 0
    )


def _reals(place: Path, options: argparse.Namespace, pairs: Sequence[Any], *, wide: bool = False) -> Any:
    """Windows of real findings, read as what was implanted into."""
    from tuckpoint.implant import radiograph_files, reading

    film = any(pair.projected for pair in pairs)
    spacing = None if options.spacing is None else tuple(options.spacing)
    if spacing is not None and len(spacing) != (2 if film else 3):
        wanted = "two lengths for radiographs, ROW COLUMN" if film else "three lengths for volumes, Z Y X"
        raise InputError(f"--spacing has {len(spacing)}; give {wanted}")
    if film:
        return radiograph_files.reals(place, spacing=spacing)
    return reading.reals(place, spacing=spacing, wide=wide)


def _sheet(options: argparse.Namespace, progress: Any) -> tuple[str, int]:
    from tuckpoint.implant import reader, sets
    from tuckpoint.seed import Seed

    pairs = sets.load(options.folder)
    photo = pairs[0].host.unit == "px"
    reals = _reals(options.real_positives, options, pairs, wide=photo)
    made = reader.windows(pairs)
    count = reader.sheet(
        made, reals.windows, options.output, options.key, Seed(options.seed).child("implant", "reader"),
        grey=None if photo else reader.shown(pairs[0].host), pairs=options.pairs, overwrite=options.overwrite,
    )  # fmt: skip
    return f"{count} pairs: {options.output} is for the reader, {options.key} is not", 0


def _answers(options: argparse.Namespace, progress: Any) -> tuple[str, int]:
    from tuckpoint.implant import reader

    found = reader.score(options.file, options.key)
    meaning = "the reader tells them apart" if found.told_apart else "no evidence that the reader tells them apart"
    interval = f"[{found.low:.0%}, {found.high:.0%}]"
    return f"{found.right} of {found.n} right, {found.share:.0%} {interval}, p {found.p:.2g}: {meaning}", 0
