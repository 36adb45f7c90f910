"""Notes of a fit in few lines."""

from tuckpoint.commands.notes import brief


def test_few_notes_are_told_one_by_one():
    notes = [f'column "c{i}": values beyond what 5 people share were clipped ({i} cells)' for i in range(12)]
    assert brief(notes) == notes


def test_five_hundred_columns_are_told_in_a_line():
    notes = [f'column "c{i}": values beyond what 5 people share were clipped ({i} cells)' for i in range(499)]
    notes += ['column "c499": values beyond what 5 people share were clipped (1 cell)']
    notes += [
        'column "l0": 1 level held by fewer than 5 people pooled into (rare)',
        'column "l1": 1,204 levels held by fewer than 5 people pooled into (rare)',
    ]
    notes += ['column "one": no level is held by 5 people: all became (rare)', "the model is personal data"]
    assert brief(notes) == [
        '500 columns: values beyond what 5 people share were clipped: "c0", "c1", "c2" and 497 more',
        '2 columns: levels held by fewer than 5 people pooled into (rare): "l0", "l1"',
        'column "one": no level is held by 5 people: all became (rare)',
        "the model is personal data",
    ]
