/** The part of vitest's JSON report that we count. */
export interface TestReport {
  success: boolean
  testResults: readonly {
    name: string
    status: string
    message: string
    assertionResults: readonly { status: string }[]
  }[]
}

export interface TestCount {
  passed: number
  failed: number
  skipped: number
}

/**
 * Counts a report. A file that failed without a failed test (it did not load, its hook threw) is one failure, and so is a
 * run that vitest calls unsuccessful while every file passed: that is an unhandled error, which its report leaves out.
 */
export function countTests({ success, testResults }: TestReport): TestCount {
  const count: TestCount = { passed: 0, failed: 0, skipped: 0 }
  for (const file of testResults) {
    const statuses = file.assertionResults.map((test) => test.status)
    const failed = statuses.filter((status) => status === 'failed').length
    const passed = statuses.filter((status) => status === 'passed').length
    count.passed += passed
    count.failed += file.status === 'failed' ? Math.max(failed, 1) : failed
    count.skipped += statuses.length - passed - failed
  }
  if (!success && count.failed === 0) count.failed = 1
  return count
}
