// The page at the root: it calls two handlers in each language from the browser, one that answers by itself and one that calls
// another language, and shows the answers.

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>polywsgi: one server, three languages</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; color: #222 }
  dt { font-weight: 600; margin-top: 1rem }
  dd { margin: 0; font-family: ui-monospace, monospace; white-space: pre-wrap }
  .failed { color: #a00 }
  button { font: inherit; padding: .3rem 1rem; margin-top: 1.5rem }
</style>
<h1>One server, three languages</h1>
<p>Each answer below comes from a handler in another language, all of them in the same two workers.</p>
<dl>
  <dt>/py/hello</dt><dd id="py">…</dd>
  <dt>/lua/hello</dt><dd id="lua">…</dd>
  <dt>/js/hello</dt><dd id="js">…</dd>
</dl>
<p>Each of these calls a function of the next language, and counts in a cache that all of them share.</p>
<dl>
  <dt>/py/call</dt><dd id="py-call">…</dd>
  <dt>/lua/call</dt><dd id="lua-call">…</dd>
  <dt>/js/call</dt><dd id="js-call">…</dd>
</dl>
<button>Ask again</button>
<script type="module">
  const ask = async (language, what, id) => {
    const place = document.getElementById(id)
    try {
      const response = await fetch('/' + language + '/' + what)
      place.textContent = (await response.text()).trim()
      place.classList.toggle('failed', !response.ok)
    } catch (error) {
      place.textContent = String(error)
      place.classList.add('failed')
    }
  }
  const askAll = () =>
    Promise.all(
      ['py', 'lua', 'js'].flatMap((language) => [ask(language, 'hello', language), ask(language, 'call', language + '-call')]),
    )
  document.querySelector('button').addEventListener('click', askAll)
  await askAll()
  document.body.dataset.done = 'yes'
</script>
</html>
`

export default {
  fetch(request) {
    if (new URL(request.url).pathname !== '/') return new Response('Not Found\n', { status: 404 })
    return new Response(page, { headers: { 'Content-Type': 'text/html; charset=utf-8' } })
  },
}
