// A request plugin that hands over its responses in every way there is: the query string is the argument.
let context

const argument = (request) => decodeURIComponent(request.getVar('QUERY_STRING'))

const actions = {
  '/quick': (request) => {
    request.setHead('200 OK', 'Content-Type\0text/plain')
    request.finish(Buffer.from('quick'))
  },
  '/die': () => process.exit(7),
  '/file': (request) => request.sendfile(argument(request)),
  '/part': (request) => {
    const [path, offset, length] = argument(request).split(',')
    request.sendfile(path, { offset: Number(offset), length: Number(length) })
  },
  '/page': (request) => {
    request.prepareHeaders('404')
    request.addHeader('X-Own', 'yes')
    request.sendfile(argument(request))
  },
  '/typed': (request) => {
    request.setHead('200 OK', 'Content-Type\0application/x-own')
    request.sendfile(argument(request))
  },
  '/after-begin': (request) => {
    request.setHead('200 OK', 'Content-Type\0text/plain')
    request.writeBody(Buffer.from('first|'))
    request.sendfile(argument(request))
  },
  '/refused': (request) => {
    const [path, root] = argument(request).split(',')
    let said = 'nothing'
    try {
      request.sendfile(path, { roots: [root] })
    } catch (error) {
      said = `${error.code}: ${error.message}`
    }
    request.setHead('200 OK', 'Content-Type\0text/plain')
    request.finish(Buffer.from(said))
  },
  '/memory': (request) => {
    request.setHead('200 OK', 'Content-Type\0application/octet-stream')
    const bytes = new Uint8Array(Number(argument(request))).fill(0x6d)
    request.offloadMemory(bytes)
    context.log.text(`left ${bytes.length} bytes, offloaded ${request.isOffloaded}, again ${request.canOffload}`)
  },
  // What the address answers to a line is the whole response.
  '/net': (request) => request.offloadTransfer(argument(request), Buffer.from('raw\n')),
  // The same as a body.
  '/net-body': (request) => {
    request.setHead('200 OK', 'Content-Type\0text/plain')
    request.offloadTransfer(argument(request), Buffer.from('body\n'))
  },
  '/silent': (request) => request.offloadTransfer(argument(request), Buffer.from('silent\n'), 100),
  '/pipe': (request) => {
    const fd = context.server.connections.connect(argument(request), 4000).park()
    request.setHead('200 OK', 'Content-Type\0text/plain')
    request.offloadTransfer(fd, Buffer.from('body\n'))
  },
  '/rpc': (request) => {
    const [name, ...args] = argument(request).split(',')
    request.setHead('201 Created', 'X-Own\0yes')
    request.offloadRpc(
      name,
      args.map((text) => Buffer.from(text)),
    )
  },
}

export default {
  name: 'offload-probe',
  modifier1: 250,
  postFork(given) {
    context = given
    const owner = { name: 'offload-probe', rpc: (handler, args) => handler(args) }
    const handler = ([text]) => Buffer.from(Buffer.from(text).toString('latin1').toUpperCase(), 'latin1')
    given.server.rpc.register('upper', { owner, handler, release() {} }, 0)
  },
  request(request) {
    actions[request.getVar('PATH_INFO')](request)
    return 0
  },
  afterRequest(request) {
    if (request.isOffloaded) context.log.text(`after ${request.getVar('PATH_INFO')}`)
  },
}
