/** Something that time can be stopped for, or that can die: a browser page, a server, or the world, which does neither. */
export class Process {
  readonly name: string
  /** Timers and messages that it still waits for. */
  pending = 0
  isDead = false
  /** `frozen`: what is due waits until it wakes. `suspended`: its time stands still. */
  sleep: 'frozen' | 'suspended' | undefined
  readonly held: Task[] = []
  fellAsleepAt = 0
  /** For how long its own time stood still. */
  suspendedMs = 0
  /** What its wall clock is ahead. */
  wallOffsetMs = 0

  constructor(name: string) {
    this.name = name
  }
}

/** The shortest time that passes. Real timers take a millisecond at least. */
const MIN_MS = 0.001

interface Task {
  at: number
  order: number
  /** What was left of its time when its process was suspended. */
  leftMs: number | undefined
  readonly process: Process
  readonly run: () => void
  isOver: boolean
}

/** Virtual time: nothing happens but what was asked for with {@link after}, one thing after the other, whatever it takes in real time. */
export class VirtualClock {
  #now = 0
  #order = 0
  #heap: Task[] = []
  /** Who runs at the moment, micro-tasks included. */
  current: Process | undefined

  get now(): number {
    return this.#now
  }

  /** Milliseconds of a process's own time. */
  nowOf(process: Process): number {
    return (process.sleep === 'suspended' ? process.fellAsleepAt : this.#now) - process.suspendedMs
  }

  /** Calls back once, unless the process died. The returned function cancels it. */
  after(process: Process, ms: number, run: () => void): () => void {
    if (!(ms >= 0)) throw new Error(`A timer of ${ms} ms`)
    if (process.isDead) return () => undefined
    const task: Task = {
      // What is less would be lost in the sum, and the time would never come.
      at: this.#now + (ms && Math.max(MIN_MS, ms)),
      order: this.#order++,
      leftMs: undefined,
      process,
      run,
      isOver: false,
    }
    process.pending++
    if (process.sleep === 'suspended') process.held.push(task)
    else this.#push(task)
    return () => this.#settle(task)
  }

  /** Runs everything that is due in the next `ms`. Returns how many tasks that were. */
  async run(ms: number): Promise<number> {
    const until = this.#now + ms
    let count = 0
    for (let task = this.#heap[0]; task && task.at <= until; task = this.#heap[0]) {
      this.#pop()
      if (task.isOver) continue
      this.#now = task.at
      if (task.process.sleep) {
        task.process.held.push(task)
        continue
      }
      this.#settle(task)
      this.current = task.process
      task.run()
      // Comes after every micro-task, and those that they bring.
      await new Promise<void>((resolve) => process.nextTick(resolve))
      this.current = undefined
      count++
    }
    this.#now = until
    // Only a turn of the event loop tells of rejections that nobody caught, and lets signals go that were collected.
    await new Promise((resolve) => setImmediate(resolve))
    return count
  }

  fallAsleep(process: Process, kind: 'frozen' | 'suspended'): void {
    process.sleep = kind
    process.fellAsleepAt = this.#now
    if (kind === 'frozen') return
    for (const task of this.#heap) {
      if (task.process !== process || task.isOver) continue
      task.leftMs = task.at - this.#now
      process.held.push(task)
    }
    // A sorted array is a heap.
    this.#heap = this.#heap.filter((task) => task.process !== process).sort(inOrder)
  }

  wake(process: Process): void {
    if (process.sleep === 'suspended') process.suspendedMs += this.#now - process.fellAsleepAt
    process.sleep = undefined
    // In the order in which they were due, though what is late comes all at once now.
    for (const task of process.held.splice(0).sort(inOrder)) {
      if (task.isOver) continue
      task.at = task.leftMs === undefined ? Math.max(this.#now, task.at) : this.#now + task.leftMs
      task.leftMs = undefined
      task.order = this.#order++
      this.#push(task)
    }
  }

  /** Nothing that it waited for happens any more. */
  kill(process: Process): void {
    process.isDead = true
    for (const task of [...this.#heap, ...process.held]) if (task.process === process) this.#settle(task)
    process.held.length = 0
  }

  #settle(task: Task): void {
    if (task.isOver) return
    task.isOver = true
    task.process.pending--
  }

  #push(task: Task): void {
    const heap = this.#heap
    let at = heap.push(task) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (inOrder(heap[parent]!, task) <= 0) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = task
  }

  /** Takes the first task out. */
  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && inOrder(heap[child + 1]!, heap[child]!) < 0) child++
      if (inOrder(last, heap[child]!) <= 0) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function inOrder(a: Task, b: Task): number {
  return a.at - b.at || a.order - b.order
}
