"""HTTP to Claude with the limits the SDK lacks: a size for every body, no compression, no proxies, no redirects.

Time is limited by the caller's one deadline around everything.
"""

from collections.abc import AsyncIterator

import httpx2


class TooMuch(httpx2.TransportError):
    """An answer that is larger than any honest one, or compressed although that was refused."""


class _Capped(httpx2.AsyncByteStream):
    """A body that ends with an error where it passes the limit."""

    def __init__(self, body: httpx2.AsyncByteStream, most: int) -> None:
        self._body = body
        self._left = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._body:
            self._left -= len(block)
            if self._left < 0:
                raise TooMuch("the answer is too large")
            yield block

    async def aclose(self) -> None:
        await self._body.aclose()


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Sends as usual; gives back bodies of at most `most` bytes, error answers included."""

    def __init__(self, most: int) -> None:
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False)
        self._most = most

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; a compressed answer is refused unread."""
        request.headers["accept-encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise TooMuch("the answer is compressed")
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101
        response.stream = _Capped(response.stream, self._most)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def http_client(most: int) -> httpx2.AsyncClient:
    """A client for the SDK: bounded, deaf to the environment, follows nothing."""
    return httpx2.AsyncClient(
        transport=BoundedTransport(most),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx2.Timeout(connect=5, read=60, write=30, pool=5),
    )
