// Answers which language it is: where several are loaded, each must have answered itself.
export default {
  fetch() {
    return new Response('js', { headers: { 'content-type': 'text/plain', 'content-length': '2' } })
  },
}
