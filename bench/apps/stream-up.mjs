// Reads the body in the pieces it comes in, keeps none of them, and answers the length.
export default {
  async fetch(request) {
    let length = 0
    for await (const chunk of request.body) length += chunk.byteLength
    const answer = String(length)
    return new Response(answer, { headers: { 'content-type': 'text/plain', 'content-length': String(answer.length) } })
  },
}
