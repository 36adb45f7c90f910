"""A quote that is never closed is found where it opens; honest values of several lines are read."""

import pytest

from tuckpoint.errors import InputError
from tuckpoint.table import delimited

PLAIN = [f"{n},note {n},{'yes' if n % 2 else 'no'}" for n in range(40)]
QUOTED = [f'"{n}","note {n}","x"' for n in range(40)]


def read(tmp_path, lines, header="a,b,c"):
    path = tmp_path / "t.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return delimited.read(path)


def changed(lines, **at):
    return [at.get(f"row{n}", line) for n, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("lines", "opened", "told"),
    [
        (changed(PLAIN, row30='30,"note,no'), 32, "never closed"),
        (changed(PLAIN, row30='30,note,"no'), 32, "never closed"),
        (changed(QUOTED, row7='"7","note 7,"x"', row8='"8",note,"x"'), 9, "cells"),
        (changed(QUOTED, row7='"7","note 7","x'), 9, "up to line 10"),
        (changed(QUOTED, row7='"7","note 7","'), 9, "up to line 10"),
        (changed(PLAIN, row3='3,"note,no', row6='6,"note, 6",yes'), 5, "up to line 8"),
        (changed(PLAIN, row3='3,"note,no', row6='6,note",yes'), 5, "up to line 8"),
    ],
)
def test_an_unclosed_quote_is_refused_where_it_opens(tmp_path, lines, opened, told):
    with pytest.raises(InputError, match=told) as error:
        read(tmp_path, lines)
    assert "cells" in told or f"opened in line {opened} " in str(error.value)


def test_a_quote_in_the_header_that_is_never_closed(tmp_path):
    for rows in (3, 20_000):  # the second is longer than Python's own reader takes
        with pytest.raises(InputError, match="opened in line 1 is never closed"):
            read(tmp_path, [f"{n},abcdefgh,x" for n in range(rows)], header='a,"b,c')
    with pytest.raises(InputError, match="opened in line 1 is not closed there"):
        read(tmp_path, QUOTED, header='a,"b,c')


@pytest.mark.parametrize(
    "cell",
    [
        '"two\nlines"',
        '"3, note\nno, thanks, 4"',
        '"he said ""no""\nand, went"',
        '"one\r\n2,3,4\r\ntwo" ',
        '"no,\n,"',
        '"a, b\nc, d"',
    ],
)
def test_honest_lines_are_read(tmp_path, cell):
    table = read(tmp_path, changed(PLAIN, row5=f"5,note,{cell}", row6=f"6,{cell},no"))
    assert table.num_rows == 40
    value = cell.strip()[1:-1].replace('""', '"')
    assert table["c"][5].as_py().rstrip() == value
    assert table["b"][6].as_py().rstrip() == value


def test_a_file_of_two_columns_may_hold_letters(tmp_path):
    letters = [f'{n},"Dear Sir\n{n} thanks, bye"' for n in range(40)]
    assert read(tmp_path, letters, header="a,b").num_rows == 40


def test_inches_and_other_quotes_inside_text_are_text(tmp_path):
    table = read(tmp_path, ['1,5" pipe,x', '2,"6"" pipe",y', '3,"two\nlines",z'])
    assert table["b"].to_pylist() == ['5" pipe', '6" pipe', "two\nlines"]
