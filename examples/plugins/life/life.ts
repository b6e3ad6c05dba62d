// Tells of its life: a line for each hook that is called, with the thread it runs in.
import type { Log, Plugin } from 'polywsgi/plugin'

let log: Log | undefined
let thread = 'master'
const tell = (hook: string): void => log?.text(`life: ${thread}: ${hook}`)

export default {
  name: 'life',
  modifier1: 250,
  onLoad(context) {
    log = context.log
    tell('onLoad')
  },
  init: () => tell('init'),
  postInit: () => tell('postInit'),
  preUwsgiFork: () => tell('preUwsgiFork'),
  postFork(context) {
    log = context.log
    thread = `${context.thread.kind} ${context.thread.number}`
    tell('postFork')
  },
  initApps: () => tell('initApps'),
  fixup: () => tell('fixup'),
  request(request) {
    tell('request')
    request.prepareHeaders('204 No Content')
    return 0
  },
  afterRequest: () => tell('afterRequest'),
  masterCleanup: () => tell('masterCleanup'),
  atexit: () => tell('atexit'),
} satisfies Plugin
