// os.date and os.time of Lua stand on these; expected values are those of GNU date and the C library.
import { afterEach, describe, expect, it } from 'vitest'
import { localTime, secondsOf, strftime, utcTime } from '../../../bindings/lua/calendar.ts'

const originalZone = process.env['TZ']
afterEach(() => {
  if (originalZone === undefined) delete process.env['TZ']
  else process.env['TZ'] = originalZone
})

describe('strftime', () => {
  it('knows every conversion of C', () => {
    const time = utcTime(Date.UTC(2024, 2, 5, 14, 7, 9) / 1000)
    const all = 'a A b B c C d D e F g G h H I j m M n p r R S t T u U V w W x X y Y z Z %'.split(' ')
    expect(Object.fromEntries(all.map((name) => [name, strftime(`%${name}`, time)]))).toEqual({
      a: 'Tue',
      A: 'Tuesday',
      b: 'Mar',
      B: 'March',
      c: 'Tue Mar  5 14:07:09 2024',
      C: '20',
      d: '05',
      D: '03/05/24',
      e: ' 5',
      F: '2024-03-05',
      g: '24',
      G: '2024',
      h: 'Mar',
      H: '14',
      I: '02',
      j: '065',
      m: '03',
      M: '07',
      n: '\n',
      p: 'PM',
      r: '02:07:09 PM',
      R: '14:07',
      S: '09',
      t: '\t',
      T: '14:07:09',
      u: '2',
      U: '09',
      V: '10',
      w: '2',
      W: '10',
      x: '03/05/24',
      X: '14:07:09',
      y: '24',
      Y: '2024',
      z: '+0000',
      Z: 'UTC',
      '%': '%',
    })
    expect(strftime('%Ey-%Om %Q', time)).toBe('24-03 %Q')
  })

  // date -u -d ... '+%G-W%V-%u %U %W %j'
  it.each([
    ['2005-01-01', '2004-W53-6 00 00 001'],
    ['2005-01-02', '2004-W53-7 01 00 002'],
    ['2007-12-31', '2008-W01-1 52 53 365'],
    ['2008-12-28', '2008-W52-7 52 51 363'],
    ['2008-12-29', '2009-W01-1 52 52 364'],
    ['2010-01-03', '2009-W53-7 01 00 003'],
    ['2012-01-01', '2011-W52-7 01 00 001'],
    ['2020-12-31', '2020-W53-4 52 52 366'],
    ['2024-01-01', '2024-W01-1 00 01 001'],
  ])('counts the weeks of %s', (day, weeks) => {
    expect(strftime('%G-W%V-%u %U %W %j', utcTime(Date.parse(day) / 1000))).toBe(weeks)
  })

  it('has midnight and noon as twelve', () => {
    expect(strftime('%I %p', utcTime(0))).toBe('12 AM')
    expect(strftime('%I %p', utcTime(12 * 3600))).toBe('12 PM')
  })

  it('reaches before the epoch and beyond four digits', () => {
    expect(strftime('%F %T %C %y', utcTime(-1))).toBe('1969-12-31 23:59:59 19 69')
    expect(strftime('%Y', utcTime(Date.UTC(12345, 0, 1) / 1000))).toBe('12345')
    expect(strftime('%F %j', utcTime(new Date(0).setUTCFullYear(33, 11, 31) / 1000))).toBe('33-12-31 365')
  })
})

describe('local time', () => {
  it('follows the zone and its daylight saving time', () => {
    process.env['TZ'] = 'Europe/Berlin'
    const winter = localTime(Date.UTC(2024, 0, 15, 12) / 1000)
    const summer = localTime(Date.UTC(2024, 6, 15, 12) / 1000)
    expect(winter).toMatchObject({ hour: 13, isDst: 0, offset: 3600 })
    expect(summer).toMatchObject({ hour: 14, isDst: 1, offset: 7200 })
    expect(strftime('%z', winter)).toBe('+0100')
    expect(strftime('%z', summer)).toBe('+0200')
  })

  it('west of Greenwich, with half hours, and south of the equator', () => {
    process.env['TZ'] = 'America/St_Johns'
    expect(strftime('%z %H:%M', localTime(Date.UTC(2024, 0, 15, 12) / 1000))).toBe('-0330 08:30')
    process.env['TZ'] = 'Australia/Sydney'
    expect(localTime(Date.UTC(2024, 0, 15, 12) / 1000)).toMatchObject({ isDst: 1, offset: 39_600 })
    expect(localTime(Date.UTC(2024, 6, 15, 12) / 1000)).toMatchObject({ isDst: 0, offset: 36_000 })
  })

  it('turns back into the same second', () => {
    process.env['TZ'] = 'Europe/Berlin'
    for (const seconds of [0, -86_400, 1e9, Date.UTC(2024, 6, 15, 12) / 1000, Date.UTC(33, 5, 5) / 1000]) {
      expect(secondsOf({ ...localTime(seconds), isDst: -1 })).toBe(seconds)
    }
  })

  it('carries fields that are out of range', () => {
    process.env['TZ'] = 'UTC'
    const base = { ...utcTime(Date.UTC(2024, 0, 1) / 1000), isDst: -1 }
    expect(secondsOf({ ...base, month: 13 })).toBe(Date.UTC(2025, 1, 1) / 1000)
    expect(secondsOf({ ...base, day: 0 })).toBe(Date.UTC(2023, 11, 31) / 1000)
    expect(secondsOf({ ...base, second: -1 })).toBe(Date.UTC(2023, 11, 31, 23, 59, 59) / 1000)
    expect(secondsOf({ ...base, year: 1e9 })).toBeUndefined()
  })

  it('takes the word of who says whether it is daylight saving time', () => {
    process.env['TZ'] = 'Europe/Berlin'
    const winter = localTime(Date.UTC(2024, 0, 15, 12) / 1000)
    const summer = localTime(Date.UTC(2024, 6, 15, 12) / 1000)
    expect(secondsOf({ ...winter, isDst: 1 })).toBe(Date.UTC(2024, 0, 15, 11) / 1000)
    expect(secondsOf({ ...summer, isDst: 0 })).toBe(Date.UTC(2024, 6, 15, 13) / 1000)
    expect(secondsOf({ ...summer, isDst: 1 })).toBe(Date.UTC(2024, 6, 15, 12) / 1000)
  })
})
