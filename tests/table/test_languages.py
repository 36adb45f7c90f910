from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from tuckpoint.errors import SchemaError
from tuckpoint.table.formats import recognise
from tuckpoint.table.languages import names_in
from tuckpoint.table.moments import parse, spell

DAYS = [dt.date(2023, 1, 2) + dt.timedelta(days=29 * at) for at in range(24)]
WRITTEN = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "de Excel": "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "de points": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    "de plain": "Januar Februar Maerz April Mai Juni Juli August September Oktober November Dezember",
    "at": "Jänner Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "fr plain": "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "fr points": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "FR": "JANV FÉVR MARS AVR MAI JUIN JUIL AOÛT SEPT OCT NOV DÉC",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "es short": "ene feb mar abr may jun jul ago sep oct nov dic",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "it short": "Gen Feb Mar Apr Mag Giu Lug Ago Set Ott Nov Dic",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "pt points": "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "nl short": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "en lower": "jan feb mar apr may jun jul aug sep oct nov dec",
    "en points": "Jan. Feb. Mar. Apr. May June July Aug. Sept. Oct. Nov. Dec.",
}
LAYOUTS = ("{d}. {m} {y}", "{d} {m} {y}", "{d:02d}-{m}-{y}", "{d} de {m} de {y}", "{m} {d}, {y}", "{d:02d}/{m}/{y}")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("months", WRITTEN.values(), ids=WRITTEN)
def test_dates_of_other_languages_are_written_as_they_came(months, layout):
    words = months.split()
    texts = [layout.format(d=day.day, m=words[day.month - 1], y=day.year) for day in DAYS]
    read = recognise(pa.array(texts))
    assert read.kind == "date"
    seconds, bad = parse(pa.array(texts), read.format)
    assert not bad.any()
    assert (seconds / 86_400).tolist() == [(day - dt.date(1970, 1, 1)).days for day in DAYS]
    assert spell(seconds, read.format).to_pylist() == texts


@pytest.mark.parametrize("months", WRITTEN.values(), ids=WRITTEN)
def test_months_that_no_row_holds_are_written_in_the_manner_of_the_others(months):
    words = months.split()
    if words[2].isascii() and "Maerz" not in words and months.isascii() and "fevrier" not in words:
        told = [words[at] for at in (0, 1, 3, 4, 5, 7, 8, 11)]
    else:
        told = [words[at] for at in (0, 1, 2, 3, 4, 7, 8, 11)]  # a month with an accent tells whether they are written
    read = recognise(pa.array([f"{at + 1} {word} 2024" for at, word in enumerate(told)]))
    days = [dt.date(2024, month, 1) for month in range(1, 13)]
    seconds = np.array([(day - dt.date(1970, 1, 1)).days * 86_400.0 for day in days])
    assert [text.split()[1] for text in spell(seconds, read.format).to_pylist()] == words


@pytest.mark.parametrize(
    "texts",
    [
        ["Dienstag, 12. März 2024", "Freitag, 5. Januar 2024"],
        ["Di, 12.03.2024", "Fr, 05.01.2024"],
        ["mar. 12 mars 2024", "ven. 5 janv. 2024"],
        ["martes, 12 de marzo de 2024", "viernes, 5 de enero de 2024"],
        ["terça-feira, 12 de março de 2024", "sexta-feira, 5 de janeiro de 2024"],
        ["Tue, 12 Mar 2024", "Fri, 5 Jan 2024"],
        ["Tuesday, March 12, 2024", "Friday, January 5, 2024"],
        ["Tue, 12 Mar 2024 08:15:30 +0100", "Fri, 05 Jan 2024 10:00:00 +0100"],
    ],
)
def test_days_of_the_week_are_read_and_written_again(texts):
    read = recognise(pa.array(texts))
    seconds, bad = parse(pa.array(texts), read.format)
    assert not bad.any()
    assert spell(seconds, read.format, read.timezone).to_pylist() == texts


def test_a_day_of_the_week_that_is_wrong_is_no_moment():
    assert recognise(pa.array(["Tue, 12 Mar 2024", "Mon, 5 Jan 2024"])) is None
    assert parse(pa.array(["Mon, 12 Mar 2024"]), "%a, %d %b %Y")[1].tolist() == [True]


@pytest.mark.parametrize(
    "texts", [["3 Maya 2024"], ["12 May flowers"], ["mai"], ["3. Mrz 2024", "4. März 2024"], ["Mark lives at 12"]]
)
def test_other_words_are_no_months(texts):
    assert recognise(pa.array(texts)) is None


def test_english_months_have_directives_of_their_own():
    assert names_in(pa.array(["1 Jan 2024", "31 MAY 2023"])).months == "%b"
    assert names_in(pa.array(["1 January 2024"])).months == "%B"


@pytest.mark.parametrize("listed", ["%{Jan|Feb|Mar}", "%{" + "|".join(["Jan"] * 12) + "}"])
def test_a_list_of_names_that_cannot_be_is_refused(listed):
    with pytest.raises(SchemaError, match="lists 12 months or 7 days"):
        parse(pa.array(["x"]), f"%d {listed} %Y")


@pytest.mark.parametrize("text", ["Mar 12, 2024", "mar 12, 2024"])
def test_a_month_in_front_is_no_day_of_the_week(text):
    read = recognise(pa.array([text]))
    assert read.kind == "date"
    assert spell(parse(pa.array([text]), read.format)[0], read.format).to_pylist() == [text]


def test_names_that_are_not_listed_are_unreadable():
    format_ = "%d %{" + "|".join(WRITTEN["nl short"].split()) + "} %Y"
    seconds, bad = parse(pa.array(["3 MRT 2024", "3 März 2024", None]), format_)
    assert bad.tolist() == [False, True, False]
    assert seconds[0] == 19_785 * 86_400
