import { globSync, readFileSync } from 'node:fs'
import { parseSync } from 'vite'

/** `// guard(<name>): <why>, guarantee <number>`, directly above the statement that it is about. */
const MARK = /^ guard\(([a-z][a-z-]*)\): .+, guarantee (\d+)$/

/** A statement without which an invalidation would be lost, or a boundary crossed. */
export interface Guard {
  readonly name: string
  readonly guarantee: number
  /** Path from the root of the repository. */
  readonly file: string
  /** Folder of its package. */
  readonly package: string
}

/** A node of the syntax tree, as far as it is looked at here. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

/** @throws for a mark that can't be read, that is above no statement, or of a name that another one has. */
export function findGuards(root: string): Guard[] {
  const guards = new Map<string, Guard>()
  for (const file of globSync('packages/*/src/**/*.{ts,tsx}', { cwd: root }).sort()) {
    const source = readFileSync(`${root}/${file}`, 'utf8')
    if (!source.includes('guard(')) continue
    for (const { name, guarantee } of findMarks(file, source)) {
      const other = guards.get(name)
      if (other) throw new Error(`guard(${name}) is in ${other.file} and in ${file}; each has a name of its own`)
      guards.set(name, { name, guarantee, file, package: file.split('/')[1]! })
    }
  }
  return [...guards.values()]
}

/** The source with one guarded statement replaced by an empty one; lines stay where they are. `undefined`: it has no such guard. */
export function removeGuard(file: string, source: string, name: string): string | undefined {
  if (!source.includes(`guard(${name})`)) return undefined
  const mark = findMarks(file, source).find((each) => each.name === name)
  if (!mark) return undefined
  const { start, end } = mark.statement
  const lines = source.slice(start, end).replace(/[^\n]/g, '')
  return `${source.slice(0, start)};${lines}${source.slice(end)}`
}

interface Mark {
  readonly name: string
  readonly guarantee: number
  readonly statement: Node
}

function findMarks(file: string, source: string): Mark[] {
  const { program, comments, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`)
  const marks: Mark[] = []
  for (const comment of comments) {
    if (!comment.value.trimStart().startsWith('guard(')) continue
    const [, name, guarantee] = MARK.exec(comment.value) ?? []
    const at = `${file}:${source.slice(0, comment.start).split('\n').length}`
    if (name === undefined) throw new Error(`${at}: write it as // guard(<name>): <why>, guarantee <number>`)
    const start = comment.end + /^\s*(else\s)?\s*/.exec(source.slice(comment.end))![0].length
    const statement = statementAt(program, start)
    if (!statement) throw new Error(`${at}: guard(${name}) is not directly above a statement that can be removed`)
    marks.push({ name, guarantee: Number(guarantee), statement })
  }
  return marks
}

/** The outermost statement that begins there. A declaration is none: what uses its name would break, whatever it guards. */
function statementAt(node: unknown, start: number): Node | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  if (isNode(node)) {
    if (node.start === start && node.type.endsWith('Statement')) return node
    if (node.start > start || node.end <= start) return undefined
  }
  for (const child of Object.values(node)) {
    const found = statementAt(child, start)
    if (found) return found
  }
  return undefined
}

function isNode(value: object): value is Node {
  return 'type' in value && 'start' in value && 'end' in value
}
