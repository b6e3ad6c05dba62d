// Answers with what it knows of the request.
import type { Log, Plugin } from 'polywsgi/plugin'

let log: Log | undefined

export default {
  name: 'inspect',
  modifier1: 250,

  postFork(context) {
    log = context.log
  },

  request(request) {
    // For the log line, where `--log-format` has %(who).
    request.setLogvar('who', request.getQueryValue('name') ?? 'nobody')
    // Variables can be changed: whoever looks at them after this sees it.
    request.setVar('INSPECTED_BY', 'inspect')
    request.removeVar('HTTP_ACCEPT')

    const lines = [
      `${request.method} ${request.uri} (${request.protocol}, ${request.scheme})`,
      `path ${request.pathInfo}, name ${request.getQueryValue('name')}, cookie ${request.getCookie('color')}`,
      `modifier1 ${request.modifier1}, core ${request.coreId}, body of ${request.contentLength} bytes`,
    ]
    for (const [name, value] of request.variables()) if (/^(?:HTTP_|INSPECTED)/.test(name)) lines.push(`${name}=${value}`)
    request.prepareHeaders('200 OK')
    request.addContentType('text/plain')
    request.writeBody(`${lines.join('\n')}\n`)
    return 0
  },

  afterRequest(request) {
    log?.text(`inspect: ${request.status}, ${request.headerCount} header, ${request.responseSize} bytes`)
  },
} satisfies Plugin
