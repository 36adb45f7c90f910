import pytest
from photos.scenes import encoded, scene

from tuckpoint.photos.intact import faults, kind_of

PIXELS = scene("red", 1)


def kinds(data, suffix):
    return [kind for kind, _ in faults(data, suffix)]


@pytest.mark.parametrize(
    ("kind", "suffix"), [("PNG", ".png"), ("JPEG", ".jpg"), ("PPM", ".ppm"), ("BMP", ".bmp"), ("GIF", ".gif")]
)
def test_whole_files_have_no_fault(kind, suffix):
    assert faults(encoded(PIXELS, kind), suffix) == []


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", ".png"), ("PPM", ".ppm"), ("BMP", ".bmp")])
def test_rewritten_newlines_are_told_both_ways(kind, suffix):
    data = encoded(scene("red", 1, light=0.1), kind)
    assert "newlines rewritten" in kinds(data.replace(b"\n", b"\r\n"), suffix)
    if kind == "PNG":
        assert "newlines rewritten" in kinds(data.replace(b"\r\n", b"\n"), suffix)


def test_a_file_that_ends_early_is_told():
    for kind, suffix in (("PNG", ".png"), ("JPEG", ".jpg"), ("PPM", ".ppm")):
        data = encoded(PIXELS, kind)
        assert kinds(data[: len(data) * 2 // 3], suffix) == ["truncated"]


def test_a_changed_byte_of_a_png_breaks_its_checksum():
    data = bytearray(encoded(PIXELS))
    data[len(data) // 2] ^= 1
    assert kinds(bytes(data), ".png") == ["wrong checksum"]


def test_no_bytes_zero_bytes_and_another_suffix_are_told():
    assert kinds(b"", ".png") == kinds(bytes(5000), ".png") == ["empty file"]
    assert kinds(encoded(PIXELS, "JPEG"), ".png") == ["wrong type"]
    assert kind_of(b"hello") is None
