"""What `fetch` returns, for programs that import it from here. New programs use `imapclient.response_types`."""

from __future__ import annotations

from ._parsing.fetch.results import FetchIterator, FetchResult, ItemResult

__all__ = ["FetchIterator", "FetchResult", "ItemResult"]
