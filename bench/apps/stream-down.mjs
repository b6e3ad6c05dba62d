// Streams 200 MB in pieces of 64 KB.
const piece = new Uint8Array(65536).fill(0x61)
const PIECES = 3200

export default {
  fetch() {
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        if (sent++ === PIECES) controller.close()
        else controller.enqueue(piece)
      },
    })
    return new Response(body, {
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(piece.length * PIECES) },
    })
  },
}
