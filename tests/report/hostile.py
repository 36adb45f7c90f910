"""Names and values as an attacker, or an odd spreadsheet, would choose them."""

from __future__ import annotations

from dataclasses import replace

from tuckpoint.measure.evaluation import ColumnView, Evaluation, PairView
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.score import Score

RUN = "document.documentElement.dataset.ran=1"
SCRIPTS = (
    f"</script><script>{RUN}</script>",
    f'"><img src=x onerror={RUN}>',
    f"'><img src=x onerror='{RUN}'>",
    f"</title></desc></text></svg><svg onload={RUN}>",
    f"</style></pre></code><iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f'<a href="javascript:{RUN}">x</a>',
    f"--><body onload={RUN}>",
    f'" onmouseover="{RUN}" x="',
)
ODD = (
    "\u202egnp.exe\u2066\u200f",
    "x" * 10_000,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f389",
    "$title ${heading} $$ {0} {{7*7}} %s",
    "\x00\x1b[31mred\x07",
    "two\nlines\tand a tab\u2028",
    "\ud800",
    "",
    "   ",
    "&lt;b&gt; &amp;",
    "<style>*{display:none}</style>",
    "Z\u0351\u036b\u0343a\u0313" * 40,
)
NAMES = SCRIPTS + ODD


def schema() -> Schema:
    columns = [
        Column(name, "category", "string", unit=name, note=name, pattern=name, domain=Domain("public", levels=NAMES))
        for name in NAMES
    ]
    return Schema(tuple(columns), primary_key=NAMES[0], target=NAMES[1])


def evaluation() -> Evaluation:
    share = tuple(1 / len(NAMES) for _ in NAMES)
    views = [
        ColumnView(name, kind, NAMES, share, share, 0.1, 0.05)
        for name, kind in zip(NAMES, ("category", "decimal", "ordered", NAMES[1]) * 5, strict=True)
    ]
    pairs = tuple(PairView(a, b, 0.2, 0.1) for i, a in enumerate(NAMES) for b in NAMES[:i])
    named = [
        Score(
            name,
            0.5,
            0.4,
            0.6,
            100,
            "lower",
            0.5,
            name,
            (name, name),
            passed=False,
            why=name,
            advice=name,
            allowed=name,
            remedy=name,
        )
        for name in NAMES
    ]
    failed = Score("detection", None, why=NAMES[0], advice=NAMES[1])
    ruled = Score("rule_adherence", 0.5, subject=(NAMES[0],))
    worst = [{"pair": [name, name, name, name], "made": 3, "expected": 7.0} for name in NAMES]
    joined = Score("unseen_pairs", 0.5, detail={"worst": worst})
    claims = {name: (name,) for name in NAMES}
    return Evaluation(
        {"real": 100, "made": 100, "holdout": 100},
        NAMES[0],
        (*named, failed, ruled, joined),
        tuple(views),
        pairs,
        claims,
        NAMES,
    )


def record() -> dict[str, object]:
    return {
        "maker": {"engine": NAMES[0], "version": NAMES[1]},
        "recipe": NAMES[2],
        "seed": NAMES[3],
        "privacy": {"epsilon": 1.0, "delta": 1e-6, "unit": NAMES[0], "neighbours": NAMES[1], "mechanism": NAMES[2]},
        "protections": list(NAMES),
        **{name: {name: [name, None, True, {}]} for name in NAMES},
    }


def wide(columns: int, *, name: str = "column {} with a rather long name") -> Evaluation:
    """As many columns as asked, each with thirty levels."""
    labels = tuple(f"level number {i} of many" for i in range(30))
    share = tuple(1 / 30 for _ in labels)
    names = [name.format(i) for i in range(columns)]
    views = tuple(ColumnView(n, "category", labels, share, share, i / 1000, 0.02) for i, n in enumerate(names))
    pairs = tuple(PairView(a, b, 0.1, 0.1) for i, a in enumerate(names) for b in names[:i])
    scores = tuple(Score("global_utility", 0.5, subject=(n,)) for n in names)
    rows = {"real": 5000, "made": 5000, "holdout": 1000}
    return replace(evaluation(), rows=rows, columns=views, pairs=pairs, scores=scores, claims={}, notes=())
