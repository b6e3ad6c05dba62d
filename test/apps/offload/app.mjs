// Gives a file away; the query string is the path.
import uwsgi from 'uwsgi'

export default {
  fetch(request) {
    const path = new URL(request.url).search.slice(1)
    let said
    try {
      said = String(uwsgi.sendfile(path))
    } catch (error) {
      said = `${error.code}: ${error.message}`
    }
    return new Response('dropped if it was sent', { headers: { 'X-Own': 'yes', 'X-Said': said } })
  },
}
