// console: text to the server's log, one line (or block of lines) per call. Lines of `console.log` and `console.info` are
// written as they are, the other levels carry their name in front.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { MapDelete, MapGet, MapSet, StringSlice } = P
  const { log, now } = host
  const { inspect, inspectNested } = lib
  const { floor, trunc } = { floor: Math.floor, trunc: Math.trunc }
  const { parseFloat: toFloat, Number: toNumber } = globalThis

  const substitute = (kind, value) => {
    switch (kind) {
      case 's':
        return typeof value === 'string' ? value : typeof value === 'object' ? inspectNested(value) : inspect(value)
      case 'd':
        return typeof value === 'bigint'
          ? `${value}n`
          : typeof value === 'object' || typeof value === 'symbol'
            ? 'NaN'
            : `${toNumber(value)}`
      case 'i':
        return typeof value === 'bigint'
          ? `${value}n`
          : typeof value === 'object' || typeof value === 'symbol'
            ? 'NaN'
            : `${trunc(toFloat(value))}`
      case 'f':
        return typeof value === 'symbol' ? 'NaN' : `${toFloat(value)}`
      case 'j':
        return `${P.JSONStringify(value)}`
      // Styling of browsers: the argument is used up, nothing is printed.
      case 'c':
        return ''
      default:
        return inspectNested(value)
    }
  }

  const format = (args) => {
    let next = 0
    let out = ''
    if (typeof args[0] === 'string') {
      const pattern = args[0]
      next = 1
      let copied = 0
      for (let at = 0; at + 1 < pattern.length && args.length > 1; at += 1) {
        if (pattern[at] !== '%') continue
        const kind = pattern[at + 1]
        if (kind === '%') out += StringSlice(pattern, copied, at + 1)
        else if (P.StringIncludes('sdifjoOc', kind) && next < args.length) {
          out += StringSlice(pattern, copied, at) + substitute(kind, args[next])
          next += 1
        } else continue
        at += 1
        copied = at + 1
      }
      out += StringSlice(pattern, copied)
    }
    for (; next < args.length; next += 1) out += (next === 0 ? '' : ' ') + inspect(args[next])
    return out
  }

  let indent = ''
  const print = (level, args) => {
    let text = ''
    try {
      text = format(args)
    } catch (error) {
      text = `console: ${lib.describe(error)}`
    }
    if (indent !== '') text = indent + P.StringReplaceAll(text, '\n', `\n${indent}`)
    log(level === '' ? text : `[${level}] ${text}`)
  }

  const counts = new P.Map()
  const starts = new P.Map()
  const elapsed = (label) => `${label}: ${floor((now() - MapGet(starts, label)) * 1000) / 1000}ms`

  const console = {
    log: (...args) => print('', args),
    info: (...args) => print('', args),
    debug: (...args) => print('debug', args),
    warn: (...args) => print('warn', args),
    error: (...args) => print('error', args),
    trace: (...args) => {
      print('trace', [format(args) + lib.guestLines(new Error().stack)])
    },
    assert: (condition = false, ...args) => {
      if (!condition) print('error', args.length === 0 ? ['Assertion failed'] : [`Assertion failed: ${format(args)}`])
    },
    dir: (value) => print('', [inspectNested(value)]),
    table: (value) => print('', [inspectNested(value)]),
    group: (...args) => {
      if (args.length > 0) print('', args)
      // Bounded: a program that never closes its groups must not make its lines longer for ever.
      if (indent.length < 40) indent += '  '
    },
    groupEnd: () => {
      indent = StringSlice(indent, 2)
    },
    count: (label = 'default') => {
      const count = (MapGet(counts, label) ?? 0) + 1
      if (P.MapHas(counts, label) || P.MapSize(counts) < 1000) MapSet(counts, label, count)
      print('', [`${label}: ${count}`])
    },
    countReset: (label = 'default') => {
      MapDelete(counts, label)
    },
    time: (label = 'default') => {
      if (P.MapHas(starts, label) || P.MapSize(starts) < 1000) MapSet(starts, label, now())
    },
    timeLog: (label = 'default', ...args) => {
      if (P.MapHas(starts, label)) print('', args.length === 0 ? [elapsed(label)] : [`${elapsed(label)} ${format(args)}`])
    },
    timeEnd: (label = 'default') => {
      if (!P.MapHas(starts, label)) return
      print('', [elapsed(label)])
      MapDelete(starts, label)
    },
  }
  console.groupCollapsed = console.group
  return { __proto__: null, console }
}
