"""Metadata of the package; the settings of the tools are in pyproject.toml."""

from __future__ import annotations

import runpy
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent

# Run by its path: importing the package would need its dependencies before they are installed.
VERSION = runpy.run_path(str(HERE / "imapclient" / "version.py"))["__version__"]

# pymap needs Python 3.11, and on an older Python pip would silently take an old release of it.
PYMAP = 'pymap>=0.36.7; python_version >= "3.11"'
TRUSTME = "trustme>=1.2"
# Python 3.9 gets 1.4.6, newer ones a newer release.
SCRAMP = "scramp>=1.4.6"

setup(
    name="IMAPClient",
    version=VERSION,
    description="IMAP4 client library: typed results, safe encoding, IMAPClient's API",
    long_description=(HERE / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    author="The imapclient developers",
    packages=find_packages(include=["imapclient", "imapclient.*"]),
    package_data={"imapclient": ["py.typed"], "imapclient._testing": ["sample_messages/*.eml"]},
    python_requires=">=3.9",
    install_requires=["six"],
    extras_require={
        "interactive": ["ipython"],
        "demo": [PYMAP, TRUSTME],
        "keyring": ["keyring"],
        "scram": [SCRAMP],
        "test": [
            "coverage[toml]>=7.10",
            "hypothesis",
            "ipython",
            "keyring",
            'pexpect; sys_platform != "win32"',
            "ptpython",
            "pyte",
            "pytest>=8.0",
            "pytest-timeout",
            "pytest-xdist",
            "setuptools>=77",
            "tqdm",
            SCRAMP,
            TRUSTME,
        ],
        "doc": ["sphinx>=7.0"],
    },
    entry_points={
        "console_scripts": ["imapclient = imapclient.interact:main"],
        # Named like the module, so that `pytest_plugins = ["imapclient.pytest_plugin"]` in a
        # conftest.py, or `-p imapclient.pytest_plugin`, does not register it a second time.
        "pytest11": ["imapclient.pytest_plugin = imapclient.pytest_plugin"],
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Framework :: Pytest",
        "Intended Audience :: Developers",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.9",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: Implementation :: CPython",
        "Topic :: Communications :: Email :: Post-Office :: IMAP",
        "Topic :: Software Development :: Libraries :: Python Modules",
        "Typing :: Typed",
    ],
)
