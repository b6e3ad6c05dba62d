// A page of 100 KB, built once: measures how a response travels, not how it is made.
const page = '0123456789abcdef'.repeat(6400)

export default {
  fetch() {
    return new Response(page, { headers: { 'content-type': 'text/plain', 'content-length': String(page.length) } })
  },
}
