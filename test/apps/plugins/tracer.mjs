// Plugins whose every hook writes a line about itself: a request plugin here, a general one in general-tracer.mjs.
import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { hookTable } from 'polywsgi/plugin'

export const tracer = (name, modifier1) => {
  let thread = isMainThread ? 'master' : 'thread'
  let signals
  let functions = 0
  const say = (hook, argument) => writeSync(2, `TRACE ${thread} ${name}.${hook}(${argument})\n`)

  const answers = {
    worker: () => false,
    mountApp: () => undefined,
    magic: () => false,
    mule: () => false,
    muleMsg: (message) => message.length > 0,
    manageUdp: (_address, _port, packet) => packet.toString() === `for ${name}`,
    spooler: () => -2,
    currentRequest: () => undefined,
    exceptionLog: () => undefined,
    postFork: (context) => {
      thread = `${context.thread.kind}${context.thread.workerId + context.thread.muleId + context.thread.spoolerId}`
      signals = context.server.signals
    },
    fixup: () => {
      if (modifier1 === undefined) return
      // A function of this plugin's own, as a binding hands one over for its guests.
      signals.register(17, 'worker', { owner: plugin, handler: 'handler', release: () => {} })
    },
    request: (request) => {
      request.prepareHeaders('200 OK')
      const later = async () => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        request.finish(Buffer.from('later'))
        return 0
      }
      if (request.getVar('PATH_INFO') === '/later') return later()
      if (request.getVar('PATH_INFO') === '/raise') throw new Error('on purpose')
      functions += 1
      request.finish(Buffer.from(`at once ${functions}`))
      return 0
    },
    signalHandler: () => true,
    encodeString: (text) => Buffer.from(text),
    decodeString: (bytes) => Buffer.from(bytes).toString(),
  }

  const told = (argument) => (typeof argument === 'number' || typeof argument === 'string' ? argument : '')
  const hooks = Object.fromEntries(
    Object.keys(hookTable).map((hook) => [
      hook,
      (...args) => {
        const answer = answers[hook]?.(...args)
        if (hook !== 'currentRequest') say(hook, told(args[0]))
        return answer
      },
    ]),
  )
  if (modifier1 === undefined) delete hooks.request
  const plugin = { name, ...(modifier1 === undefined ? {} : { modifier1 }), ...hooks }
  return plugin
}

export default tracer('traced', 250)
