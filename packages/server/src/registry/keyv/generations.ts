import type { Clock } from '../../clock.ts'
import type { KeyvAccess } from './keyv-access.ts'
import { beatKey, claimKey, encodeClosed, headKeys, parseClaim, type Claim, type ProcessIdentity } from './layout.ts'
import { hasEnded } from './process-identity.ts'

/** An owner that gave no sign of life for so long is taken for gone. More than the slowest store makes of its beats. */
export const SILENT_MS = 15_000

/** One generation, as the store shows it. */
export interface Generation {
  readonly number: number
  readonly claim: Claim
  readonly beat: string | undefined
  readonly heads: readonly string[]
}

/**
 * The generations from the latest down to the first that has a history. Each owner claims the next generation; claims are never deleted, so
 * that their numbers have no gaps and the latest is found without a list.
 */
export async function surveyGenerations(access: KeyvAccess, known: number): Promise<Generation[]> {
  const generations: Generation[] = []
  for (let number = await findLatest(access, known); number > 0; number--) {
    const generation = await readGeneration(access, number)
    generations.push(generation)
    if (generation.heads.length > 0) break
  }
  return generations
}

export async function readGeneration(access: KeyvAccess, number: number): Promise<Generation> {
  const [claim, beat, ...heads] = await access.getMany([claimKey(number), beatKey(number), ...headKeys(number)])
  return {
    number,
    claim: parseClaim(claim ?? ''),
    beat,
    heads: heads.filter((head) => head !== undefined),
  }
}

/** Ends the ownership of a generation, so that nothing is acknowledged in it from here on. */
export async function closeGeneration(access: KeyvAccess, { number, claim }: Generation): Promise<void> {
  if (claim.isClosed) return
  // guard(close-first): an owner that still counts as one would go on acknowledging what the next one never reads, guarantee 2
  await access.set(claimKey(number), encodeClosed(claim.owner))
  const closed = await access.get(claimKey(number))
  if (!parseClaim(closed ?? '').isClosed) throw new Error(`The store did not keep ${claimKey(number)}`)
}

/** @param known a generation that was there before, or 0. */
async function findLatest(access: KeyvAccess, known: number): Promise<number> {
  const isThere = async (number: number): Promise<boolean> => (await access.get(claimKey(number))) !== undefined
  let there = known > 0 && (await isThere(known)) ? known : 0
  let step = 1
  for (; await isThere(there + step); step *= 2) there += step
  for (let absent = there + step; absent - there > 1;) {
    const middle = (there + absent) >> 1
    if (await isThere(middle)) there = middle
    else absent = middle
  }
  return there
}

/** Watches the owners of generations for signs of life. */
export class OwnerWatch {
  readonly #clock: Clock
  readonly #here: ProcessIdentity
  readonly #silentMs: number
  readonly #seen = new Map<number, { readonly sign: string; readonly at: number }>()

  constructor(clock: Clock, here: ProcessIdentity, silentMs: number) {
    this.#clock = clock
    this.#here = here
    this.#silentMs = silentMs
  }

  /**
   * The owner that may be alive, if there is one.
   *
   * @param readAt when the reading of these generations began, which is when their signs were seen at the earliest.
   */
  async findLiving(
    generations: readonly Generation[],
    readAt: number,
    isOurs: (owner: string) => boolean,
  ): Promise<Claim | undefined> {
    // Looks at all of them, so that their silences are one.
    let living: Claim | undefined
    for (const { number, claim, beat = '' } of generations) {
      if (claim.isClosed || isOurs(claim.owner)) continue
      if (claim.process && (await hasEnded(claim.process, this.#here))) continue
      const sign = `${claim.owner} ${beat}`
      const seen = this.#seen.get(number)
      if (seen?.sign !== sign) this.#seen.set(number, { sign, at: this.#clock.now() })
      else if (readAt - seen.at >= this.#silentMs) continue
      living ??= claim
    }
    return living
  }
}
