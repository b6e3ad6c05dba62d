// The shop's page, in JavaScript: it asks Python, which asks the embedding program and Lua.

import uwsgi from 'uwsgi'

export default {
  fetch(request) {
    const item = decodeURIComponent(new URL(request.url).pathname.slice(1))
    const price = uwsgi.call('price', item)
    if (price === undefined) return new Response(`There is no ${item}.\n`, { status: 404 })
    return new Response(`${item} costs ${price}.\n`)
  },
}
