"""The page of implanted images: checks, a contact sheet of pairs, detectability, counts. Computes nothing."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from tuckpoint.errors import count
from tuckpoint.implant.check import Check, blocked
from tuckpoint.implant.detectability import Detectability, Point
from tuckpoint.implant.place import REACH_MM
from tuckpoint.implant.reader import shown
from tuckpoint.implant.values import BINS, UNVALIDATED, Array, Finding, Implanted
from tuckpoint.record import Record
from tuckpoint.report.chart import glyph, plain, prose, text
from tuckpoint.report.sheet import Head, Section, sheet, table
from tuckpoint.report.words import number
from tuckpoint.write.sets import png

SHOWN = 24
SEEN = {"mm": 40.0, "px": 96.0}  # edge of the windows on the sheet
WIDTH, HEIGHT, LEFT, FLOOR = 420, 230, 46, 180
BANNER = "<strong>Synthetic findings in real images.</strong> No patient has them. Internal: the hosts are real images."
UNTRUSTED = (
    " <strong>UNVALIDATED</strong>: projected by physics alone; held against no real nodule, detector or reader."
)
WORD = {"holds": "holds", "fails": "fails: blocked", "open": "not checked", "shown": "shown"}


def lines(checks: Sequence[Check], curves: Detectability) -> list[str]:
    """The outcome for a terminal, the verdict first."""
    told = ["Blocked: a check failed" if blocked(checks) else "All that could be checked holds"]
    told += [UNVALIDATED] if any(check.found == UNVALIDATED for check in checks) else []
    told.append("")
    for check in checks:
        advice = f"; {check.advice}" if check.advice else ""
        told.append(f"  {WORD[check.state]:<15} {check.name}: {check.found} (wanted: {check.wanted}){advice}")
    if curves.auc is None:
        return [*told, f"  not measured    detectability: {curves.why}"]
    order = "does not fall with size or contrast" if curves.monotone else "FALLS with size or contrast"
    return [*told, f"  shown           detectability {order}: AUC {curves.auc:.3f} beside untouched hosts"]


def implant_page(pairs: Sequence[Implanted], checks: Sequence[Check], curves: Detectability, record: Record) -> str:
    """The page as HTML: checks, pairs, detectability, and counts by kind."""
    bad = blocked(checks)
    said = "All that could be checked holds" + ("; unvalidated" if any(pair.projected for pair in pairs) else "")
    first = [(pair, finding) for pair in pairs for finding in pair.findings][:SHOWN]
    head = Head(
        title=f"{'Blocked' if bad else 'Checked'}: {record.dataset}",
        description="Implanted findings, held against their hosts and real ones",
        banner=BANNER + (UNTRUSTED if any(pair.projected for pair in pairs) else ""),
        heading=f"Implanted findings: {text(record.dataset)}",
        about=f"{count(len(pairs), 'image')} &middot; {plain(record.maker.engine)} &middot; record "
        f"<code>{record.digest()[:16]}</code>",
        state="fails" if bad else "holds",
        headline="Blocked" if bad else said,
        outcome=f'<p class="outcome">{_outcome(checks)}</p>',
    )
    sections = (
        Section("checks", "Checks", "A failed one blocks; what could not be checked says why.", _checks(checks)),
        Section("pairs", f"The first {len(first)}", _pairs_lead(pairs), _figures(first, record)),
        Section("found", "Detectability", _found_lead(curves), _curves(curves, pairs)),
        Section("counts", "What was implanted", "", _counts(pairs)),
    )
    return sheet(head, sections, legend="", styles=("style.css", "verdict.css", "contact.css", "implant.css"))


def _outcome(checks: Sequence[Check]) -> str:
    failed = [check.name for check in checks if check.state == "fails"]
    left = [check.name for check in checks if check.state == "open"]
    told = [f"Failed: {', '.join(failed)}."] if failed else []
    told += [f"Not checked: {', '.join(left)}."] if left else []
    return prose(" ".join(told) or "Every check was done and holds.")


def _checks(checks: Sequence[Check]) -> str:
    rows = [
        (
            f"{glyph(check.state)} {plain(check.name)}", WORD[check.state], prose(check.found),
            prose(check.wanted), prose(check.advice) if check.advice else "",
        )
        for check in checks
    ]  # fmt: skip
    return table(("check", "outcome", "found", "wanted", "what to do"), rows)


def _pairs_lead(pairs: Sequence[Implanted]) -> str:
    unit = pairs[0].host.unit
    more, grey = "", "greys of each window"
    if len(pairs[0].host.spacing) == 3:
        grey = "lung window, -1350 to 150 HU"
    elif unit == "px":
        more, grey = " or more, so that lines are seen whole", "greys stretched to what the part spans"
    return f"Host, image, and image with the mask outlined; {SEEN[unit]:g} {unit} wide{more}; {grey}."


def _figures(first: Sequence[tuple[Implanted, Finding]], record: Record) -> str:
    return f'<div class="pairs">{"".join(_figure(*one, record) for one in first)}</div>'


def _figure(pair: Implanted, finding: Finding, record: Record) -> str:
    middle, half = _seen(pair, finding)
    number_of = pair.findings.index(finding) + 1
    host, image, mask = (
        _plane(_around(values, middle, half), pair)
        for values in (pair.host.image, pair.image, pair.mask() == number_of)
    )
    # The greys of a film span far more than those around one nodule.
    own = np.quantile(host, [0.02, 0.98]) if finding.thickness is not None else None
    grey = shown(pair.host) if own is None else (float(own[0]), float(own[1] + abs(finding.contrast) + 1))
    cells = [("host", _shade(host, grey)), ("null" if finding.null else "image", _shade(image, grey))]
    if not finding.null:
        cells.append(("mask", _outlined(_shade(image, grey), mask > 0)))
    place = ", ".join(_far(name, value, pair) for name, value in finding.distances.items())
    seen = "" if finding.null else f", contrast to noise {finding.contrast_to_noise:.1f}, {finding.difficulty}"
    what = f"null of a {finding.kind}" if finding.null else finding.kind
    size = finding.size.requested  # a disc's diameter says little of a scratch
    sized = f"{size:.1f} mm" if pair.host.unit == "mm" else f"area {np.pi / 4 * size**2:.0f} px"
    said = f"{what}, {sized}{seen}; distance to {place}; {pair.host.name}"
    drawn = "".join(_cell(name, values, record) for name, values in cells)
    return f'<figure><figcaption>{plain(said, 300)}</figcaption><div class="row">{drawn}</div></figure>'


def _seen(pair: Implanted, finding: Finding) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """The middle of what is shown and half its edges; all of a line on a photograph, which begins where it was put."""
    edge, middle = SEEN[pair.host.unit], finding.drawn.position
    if pair.host.unit == "px" and finding.box[0][0] < finding.box[0][1]:
        middle = tuple((a + b - 1) / 2 for a, b in finding.box)
        edge = max(edge, 1.2 * max(b - a for a, b in finding.box))
    return middle, tuple(max(4, round(edge / 2 / s)) for s in pair.host.spacing)


def _far(name: str, value: float, pair: Implanted) -> str:
    """A distance in words; in volumes it is measured up to REACH_MM."""
    over = "over " if len(pair.host.spacing) == 3 and name != "edge" and value >= REACH_MM else ""
    return f"{name} {over}{value:.1f} {pair.host.unit}"


def _around(image: Array, position: tuple[float, ...], half: tuple[int, ...]) -> Array:
    """The window around a position, moved inwards where the image ends; of a volume the slice of the finding alone."""
    where = []
    for axis, (p, h, n) in enumerate(zip(position, half, image.shape, strict=False)):  # channels are left alone
        low = min(max(round(p) - h, 0), max(n - 2 * h, 0))
        slab = len(position) == 3 and axis == 0
        where.append(slice(round(p), round(p) + 1) if slab else slice(low, low + 2 * h))
    return np.asarray(image[tuple(where)])


def _cell(name: str, values: Array, record: Record) -> str:
    data = base64.b64encode(png(np.ascontiguousarray(values), record)).decode()
    return f'<div class="cell"><img alt="{plain(name)}" src="data:image/png;base64,{data}">{plain(name)}</div>'


def _plane(window: Array, pair: Implanted) -> Array:
    """The only slice of a volume's window."""
    return window[0] if len(pair.host.spacing) == 3 else window


def _shade(plane: Array, grey: tuple[float, float]) -> Array:
    """uint8 of the same shape; `grey` are the values shown black and white."""
    low, high = grey
    return np.asarray(np.clip((plane.astype(np.float32) - low) / (high - low), 0, 1) * 255, np.uint8)


def _outlined(grey: Array, mask: Array) -> Array:
    """(h, w, 3) uint8 with the rim of the mask in colour."""
    colour = grey.copy() if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=-1)
    wide = np.pad(mask, 1)
    inner = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    colour[mask & ~inner] = (0, 230, 140)
    return colour


def _found_lead(curves: Detectability) -> str:
    if curves.auc is None:
        return f"Not measured: {prose(curves.why)}"
    order = "does not fall" if curves.monotone else "<strong>falls</strong>"
    return (
        "Sensitivity of a small learner at 10 % false alarms, implanted beside the untouched host at the same place, "
        f"on patients it never saw: AUC {curves.auc:.3f}. It {order} with size or contrast beyond its 95 % intervals "
        "(Wilson). A reader may do better or worse; real findings were not asked for."
    )


def _curves(curves: Detectability, pairs: Sequence[Implanted]) -> str:
    if curves.auc is None:
        return ""
    unit = pairs[0].host.unit
    return _curve(curves.size, f"diameter, {unit}") + _curve(curves.contrast, "contrast to noise")


def _curve(points: Sequence[Point], title: str) -> str:
    low, high = points[0].low, points[-1].high

    def x(value: float) -> float:
        return LEFT + (value - low) / max(high - low, 1e-9) * (WIDTH - LEFT - 20)

    def y(share: float) -> float:
        return FLOOR - share * (FLOOR - 20)

    parts = [f'<path class="axis" d="M{LEFT} 20V{FLOOR}H{WIDTH - 20}"/>']
    for share in (0.0, 0.5, 1.0):
        parts.append(f'<text class="quiet" x="{LEFT - 6}" y="{y(share) + 4:.0f}" text-anchor="end">{share:.0%}</text>')
    middles = [(p, x((p.low + p.high) / 2)) for p in points]
    line = "L".join(f"{at:.1f} {y(p.sensitivity):.1f}" for p, at in middles)
    parts.append(f'<path class="level" d="M{line}"/>')
    for p, at in middles:
        parts.append(
            f'<path class="span" d="M{at:.1f} {y(p.sensitivity_low):.1f}V{y(p.sensitivity_high):.1f}"/>'
            f'<circle class="realdot" cx="{at:.1f}" cy="{y(p.sensitivity):.1f}" r="4"/>'
        )
    for value in sorted({p.low for p in points} | {high}):
        parts.append(
            f'<text class="quiet" x="{x(value):.0f}" y="{FLOOR + 16}" text-anchor="middle">{number(value)}</text>'
        )
    parts.append(f'<text class="quiet" x="{WIDTH - 20}" y="{FLOOR + 36}" text-anchor="end">{plain(title)}</text>')
    told = "; ".join(f"{p.low:.3g} to {p.high:.3g}: {p.sensitivity:.0%} of {p.n}" for p in points)
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{plain(f"{title}: {told}", 400)}</title>'
        f"{''.join(parts)}</svg>"
    )


def _counts(pairs: Sequence[Implanted]) -> str:
    findings = [finding for pair in pairs for finding in pair.findings]
    kinds = sorted({finding.kind for finding in findings})
    rows = []
    for kind in kinds:
        own = [finding for finding in findings if finding.kind == kind and not finding.null]
        nulls = sum(finding.kind == kind and finding.null for finding in findings)
        sizes = np.array([finding.size.requested for finding in own] or [0.0])
        bins = [f"{sum(finding.difficulty == name for finding in own):,}" for name in BINS]
        rows.append((plain(kind), f"{len(own):,}", f"{nulls:,}", f"{np.median(sizes):.1f}", *bins))
    heads = ("kind", "findings", "nulls", f"median diameter, {pairs[0].host.unit}", *BINS)
    return table(heads, rows, right=heads[1:])
