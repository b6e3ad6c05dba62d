// The smallest handler.
export default {
  fetch(_request) {
    return new Response('Hello World')
  },
}
