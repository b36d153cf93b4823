import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { isQueryTagsError, QueryTagsError } from '../src/errors.ts'

it('carries a code, a message and a cause', () => {
  const cause = new Error('disk full')
  const error = new QueryTagsError('registry-unavailable', 'Could not record', { cause })

  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({
    name: 'QueryTagsError',
    code: 'registry-unavailable',
    message: 'Could not record',
    cause,
  })
  expect(String(error)).toBe('QueryTagsError: Could not record')
})

it('has no cause where none was given', () => {
  expect('cause' in new QueryTagsError('closed', 'Closed')).toBe(false)
})

it('is recognised by any code, or by one', () => {
  const error: unknown = new QueryTagsError('closed', 'Closed')

  expect(isQueryTagsError(error)).toBe(true)
  expect(isQueryTagsError(error, 'closed')).toBe(true)
  expect(isQueryTagsError(error, 'internal')).toBe(false)
})

it('is recognised from a second copy of this package', async () => {
  const secondCopy = '../src/errors.ts?second'
  const other = (await import(/* @vite-ignore */ secondCopy)) as { QueryTagsError: typeof QueryTagsError }
  const error = new other.QueryTagsError('closed', 'Closed')

  expect(error).not.toBeInstanceOf(QueryTagsError)
  expect(isQueryTagsError(error, 'closed')).toBe(true)
})

it('is recognised from another realm', () => {
  const error: unknown = runInNewContext(`Object.assign(new Error('x'), { name: 'QueryTagsError', code: 'closed' })`)

  expect(error).not.toBeInstanceOf(Error)
  expect(isQueryTagsError(error, 'closed')).toBe(true)
})

it.each([
  ['undefined', undefined],
  ['null', null],
  ['a string', 'QueryTagsError'],
  ['a plain error', new Error('x')],
  ['an error of Node, with a code', Object.assign(new Error('x'), { code: 'ENOENT' })],
  ['an error with the name only', Object.assign(new Error('x'), { name: 'QueryTagsError' })],
  ['an error whose code is no string', Object.assign(new Error('x'), { name: 'QueryTagsError', code: 1 })],
])('is not %s', (_what, value) => {
  expect(isQueryTagsError(value)).toBe(false)
})
