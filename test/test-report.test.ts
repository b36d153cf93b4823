import { expect, it } from 'vitest'
import { countTests } from '../scripts/test-report.ts'

const file = (status: string, ...tests: string[]) => ({
  name: 'a.test.ts',
  status,
  message: '',
  assertionResults: tests.map((test) => ({ status: test })),
})

it('counts passed, failed and skipped tests over all files', () => {
  const testResults = [file('passed', 'passed', 'skipped', 'todo'), file('failed', 'passed', 'failed', 'failed')]

  expect(countTests({ success: false, testResults })).toEqual({ passed: 2, failed: 2, skipped: 2 })
})

it('counts a file that failed without a failed test as one failure', () => {
  const testResults = [file('failed'), file('failed', 'passed'), file('passed', 'passed')]

  expect(countTests({ success: false, testResults })).toEqual({ passed: 2, failed: 2, skipped: 0 })
})

it('counts an unsuccessful run of passed files as one failure', () => {
  const testResults = [file('passed', 'passed')]

  expect(countTests({ success: false, testResults })).toEqual({ passed: 1, failed: 1, skipped: 0 })
})
