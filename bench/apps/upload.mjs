// Reads the whole body at once and answers its length.
export default {
  async fetch(request) {
    const answer = String((await request.arrayBuffer()).byteLength)
    return new Response(answer, { headers: { 'content-type': 'text/plain', 'content-length': String(answer.length) } })
  },
}
