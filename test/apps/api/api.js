import uwsgi, { workerId } from 'uwsgi'

const show = (value) => {
  if (value instanceof Uint8Array) return `bytes ${value}`
  if (Array.isArray(value)) return JSON.stringify(value)
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

const failure = (call) => {
  try {
    return `returned ${show(call())}`
  } catch (error) {
    return `${error.name} ${error.code}: ${error.message}`
  }
}

export default {
  fetch() {
    const lines = [
      show(uwsgi.version),
      show(uwsgi.hostname),
      show(workerId()),
      show(uwsgi.masterpid()),
      show(uwsgi.opt.workers),
      show(uwsgi.opt.flag),
      show(uwsgi.opt.repeated),
      show(uwsgi.opt.missing),
      show(uwsgi.log('from JavaScript')),
      show(uwsgi.log(Uint8Array.of(98, 121, 116, 101, 115, 32, 0, 255))),
      failure(() => uwsgi.log()),
      failure(() => uwsgi.log({})),
      failure(() => uwsgi.log('a', 'b')),
      failure(() => uwsgi.worker_id(1)),
    ]
    return new Response(lines.join('\n'))
  },
}
