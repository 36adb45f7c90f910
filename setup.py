"""Declares the compiled sampling kernel; all else stands in pyproject.toml."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "tuckpoint.table.engines._kernel",
            sources=["src/tuckpoint/table/engines/_kernel.c"],
            # No fused multiply-add and no fast-math: the same seed gives the same bytes on every processor.
            extra_compile_args=["-O3", "-std=c11", "-ffp-contract=off"],
            py_limited_api=True,
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
        )
    ]
)
