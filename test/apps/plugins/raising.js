export default (request) => {
  if (new URL(request.url).pathname.endsWith('/value')) throw new RangeError('no such thing')
  return new Response('fine')
}
