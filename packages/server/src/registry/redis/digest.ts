// A namespace, looked into only when it is used: in browsers, where Storybook runs a system, it is empty.
import * as nodeCrypto from 'node:crypto'

/** In hexadecimal digits. */
export function digest(algorithm: 'sha1' | 'sha256', text: string): string {
  return nodeCrypto.createHash(algorithm).update(text).digest('hex')
}
