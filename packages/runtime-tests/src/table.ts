/** What is in a cell of a table: passed, failed with a reason, or left out with one. */
export type Mark = { readonly passed: true } | { readonly failed: string } | { readonly leftOut: string }

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly { readonly name: string; readonly marks: readonly Mark[] }[]
}

/** As Markdown, with the reasons below as numbered notes. */
export function toMarkdown({ title, columns, rows }: Table): string {
  const notes: string[] = []
  const show = (mark: Mark): string => {
    if ('passed' in mark) return 'yes'
    const note = 'failed' in mark ? mark.failed : mark.leftOut
    if (!notes.includes(note)) notes.push(note)
    return `${'failed' in mark ? '**failed**' : '–'} (${notes.indexOf(note) + 1})`
  }
  const lines = [
    ['', ...columns],
    ['---', ...columns.map(() => '---')],
    ...rows.map(({ name, marks }) => [name, ...marks.map(show)]),
  ].map((cells) => `| ${cells.join(' | ')} |`)
  return [`### ${title}`, '', ...lines, '', ...notes.map((note, i) => `${i + 1}. ${note}`), ''].join('\n')
}

/** How many marks say that something failed. */
export function countFailures({ rows }: Table): number {
  return rows.flatMap(({ marks }) => marks).filter((mark) => 'failed' in mark).length
}
