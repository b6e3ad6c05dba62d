// The smallest fetch-style answer with a length.
export default {
  fetch() {
    return new Response('hello', { headers: { 'content-type': 'text/plain', 'content-length': '5' } })
  },
}
