// Sends what came back in pieces, twenty times.
export default {
  async fetch(request) {
    const body = new Uint8Array(await request.arrayBuffer())
    let left = 20
    return new Response(
      new ReadableStream({
        pull(controller) {
          left -= 1
          if (left >= 0) controller.enqueue(body)
          else controller.close()
        },
      }),
    )
  },
}
