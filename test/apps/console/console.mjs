// Runs the JavaScript that is posted, as the body of an async function, and answers what it returned.
import uwsgi from 'uwsgi'

const AsyncFunction = (async () => {}).constructor

const show = (value) => {
  if (value instanceof Uint8Array) return JSON.stringify(String(value))
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'function'
  if (Array.isArray(value)) return `[${value.map(show).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([name, item]) => `${name}:${show(item)}`)
      .join(',')}}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

export default {
  async fetch(request) {
    const code = await request.text()
    try {
      return new Response(show(await new AsyncFunction('uwsgi', code)(uwsgi)))
    } catch (error) {
      return new Response(`${error.name}${error.code ? ` ${error.code}` : ''}: ${error.message}`, { status: 500 })
    }
  },
}
