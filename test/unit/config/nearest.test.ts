// The nearest known name.
import { expect, test } from 'vitest'
import { nearestName } from '../../../host/config/nearest.ts'

const known = ['workers', 'worker-reload-mercy', 'socket', 'http-socket', 'need-app', 'lua', 'js']

test.each([
  ['wrokers', 'workers'],
  ['worker', 'workers'],
  ['Workers', 'workers'],
  ['http_socket', 'http-socket'],
  ['httpsocket', 'http-socket'],
  ['sokcet', 'socket'],
  ['lau', 'lua'],
  ['jss', 'js'],
  ['needapp', 'need-app'],
  ['frobnicate', undefined],
  ['x', undefined],
  ['', undefined],
  ['w'.repeat(65), undefined],
])('%s is nearest to %s', (name, nearest) => {
  expect(nearestName(name, known)).toBe(nearest)
})

test('of names equally near the first is taken', () => {
  expect(nearestName('bat', ['cat', 'rat'])).toBe('cat')
})
