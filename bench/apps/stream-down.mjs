// Streams 200 MB in pieces of 64 KB; one piece to the query "small".
const piece = new Uint8Array(65536).fill(0x61)
const PIECES = 3200

export default {
  fetch(request) {
    const pieces = request.url.endsWith('?small') ? 1 : PIECES
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        if (sent++ === pieces) controller.close()
        else controller.enqueue(piece)
      },
    })
    return new Response(body, {
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(piece.length * pieces) },
    })
  },
}
