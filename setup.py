"""Declares the compiled kernel of the table engines; all else stands in pyproject.toml."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "tuckpoint.table._kernel",
            sources=["src/kernel/module.c", "src/kernel/tree.c", "src/kernel/boost.c", "src/kernel/draw.c"],
            depends=["src/kernel/kernel.h"],
            # No fused multiply-add and no fast-math: the same seed gives the same bytes on every processor.
            extra_compile_args=["-O3", "-std=c11", "-ffp-contract=off", "-fvisibility=hidden"],
            libraries=["m"],
            py_limited_api=True,
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
        )
    ]
)
