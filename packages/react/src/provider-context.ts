'use client'

import { QueryTagsError } from '@query-tags/core'
import type { InvalidatorClient } from '@query-tags/core/client'
import { type Context, createContext, useContext } from 'react'
import type { BindingSlot } from './binding-slot.ts'

export interface ProviderContext {
  readonly client: InvalidatorClient
  readonly slot: BindingSlot
}

export const ProviderContext: Context<ProviderContext | undefined> = createContext<ProviderContext | undefined>(
  undefined,
)

/** @throws {QueryTagsError} `no-provider` */
export function useProviderContext(hook: string): ProviderContext {
  const context = useContext(ProviderContext)
  if (!context) throw new QueryTagsError('no-provider', `${hook}() needs a <TagInvalidationProvider> above it`)
  return context
}
