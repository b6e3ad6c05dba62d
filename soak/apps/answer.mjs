// Reads what came and answers in one word; a second request that was hidden in a first one betrays itself by its path.
export default {
  async fetch(request) {
    const body = await request.arrayBuffer()
    if (new URL(request.url).pathname.includes('smuggled')) return new Response('SMUGGLED')
    return new Response('js', { headers: { 'X-Length': String(body.byteLength) } })
  },
}
