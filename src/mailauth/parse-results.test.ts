import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RESULTS_LIMITS } from './limits.ts'
import { parseResults } from './parse-results.ts'

test('the examples of rfc8601 appendix B are read', () => {
  assert.deepEqual(parseResults(' example.org 1; none'), { authservId: 'example.org', results: [] })
  assert.deepEqual(parseResults(' example.com;\r\n\t\tspf=pass smtp.mailfrom=example.net'), {
    authservId: 'example.com',
    results: [
      {
        method: 'spf',
        result: 'pass',
        reason: undefined,
        properties: [{ type: 'smtp', name: 'mailfrom', value: 'example.net' }],
      },
    ],
  })
  const commented = parseResults(
    ' foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n' +
      " policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462",
  )
  assert.deepEqual(commented, {
    authservId: 'foo.example.net',
    results: [
      {
        method: 'dkim',
        result: 'fail',
        reason: undefined,
        properties: [{ type: 'policy', name: 'expired', value: '1362471462' }],
      },
    ],
  })
})

test('what large providers write into ARC-Authentication-Results is read', () => {
  const google = parseResults(
    'mx.google.com; dkim=pass header.i=@example.org header.s=20230601 header.b=AbC/d+e1; spf=pass (google.com: domain of ' +
      'bounce+a=b.c@example.org designates 192.0.2.1 as permitted sender; really) smtp.mailfrom="bounce+a=b.c@example.org"; ' +
      'dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org; dara=pass header.i=@gmail.com',
  )
  assert.deepEqual(
    google?.results.map(({ method, result }) => `${method}=${result}`),
    ['dkim=pass', 'spf=pass', 'dmarc=pass', 'dara=pass'],
  )
  assert.deepEqual(google?.results[1]?.properties, [
    { type: 'smtp', name: 'mailfrom', value: 'bounce+a=b.c@example.org' },
  ])
  const microsoft = parseResults(
    'mx.microsoft.com 1; spf=pass smtp.mailfrom=example.org; dmarc=pass action=none header.from=example.org; dkim=pass ' +
      'header.d=example.org; arc=none (0)',
  )
  assert.equal(microsoft?.results.length, 4)
  assert.deepEqual(microsoft?.results[1]?.properties[0], { type: '', name: 'action', value: 'none' })
})

test('quotes and pairs are undone; reasons and trailing semicolons are understood', () => {
  const read = parseResults('"mx one" ; dkim=FAIL reason="bad \\"sig\\"; sorry" header.i="a b"@example.org ;')
  assert.deepEqual(read, {
    authservId: 'mx one',
    results: [
      {
        method: 'dkim',
        result: 'fail',
        reason: 'bad "sig"; sorry',
        properties: [{ type: 'header', name: 'i', value: 'a b@example.org' }],
      },
    ],
  })
})

test('what breaks the grammar or a limit is not half read', () => {
  for (const text of [
    '',
    'mx.example.com',
    ';',
    '; dkim=pass',
    'mx.example.com;',
    'mx.example.com; dkim',
    'mx.example.com; dkim=pass; ; spf=pass',
    'mx.example.com; dkim=pass header.d',
    'mx.example.com; dkim=pass header.d="open',
    'mx.example.com; dkim=pass ) header.d=x',
    'mx.example.com (open; dkim=pass',
    'mx.example.com 1 2; dkim=pass',
    'mx.example.com; none; dkim=pass',
    `mx.example.com; ${'a=b; '.repeat(RESULTS_LIMITS.readResults)}`,
    `mx.example.com; dkim=pass header.d=${'a'.repeat(RESULTS_LIMITS.readOctets)}`,
  ])
    assert.equal(parseResults(text), undefined, text.slice(0, 60))
})

test('a value cut at every byte is either read or refused, and never gives a result more', () => {
  const whole =
    'mx.example.com 1; spf=pass (a(b)\\)) smtp.mailfrom="x;y"; dkim=fail reason="no; dkim=pass" header.d=example.org'
  for (let end = 0; end < whole.length; end++) {
    const read = parseResults(whole.slice(0, end))
    if (read === undefined) continue
    assert.equal(read.authservId, 'mx.example.com')
    assert.ok(read.results.length <= 2)
    assert.ok(!read.results.some(({ method, result }) => method === 'dkim' && result === 'pass'))
  }
})
