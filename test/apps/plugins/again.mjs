// A request plugin that asks three times to be called again, by a promise and at once, before it answers.
let calls = 0

export default {
  name: 'again',
  modifier1: 250,
  request(request) {
    calls += 1
    if (calls % 4 === 1 || calls % 4 === 3) return Promise.resolve(1)
    if (calls % 4 === 2) return 1
    request.writeBody(`called ${calls} times`)
    return 0
  },
}
