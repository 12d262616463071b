/** Sequences that once failed, made as short as they got: bugs of the store, some planted, and of the model beside it. */
import type { Sequence, Step } from './sequences.ts';

const space = 'default';

function change(args: Readonly<Record<string, unknown>>): Step {
  return { do: String(args.type), args: { space, change: args } };
}

export const REGRESSIONS: Readonly<Record<string, Sequence>> = {
  'a rename takes relations along in a rebuild, too': {
    ...{ kind: 'spread', furnished: true },
    steps: [change({ type: 'rename', from: 'a', to: 'd/e', replace: false })],
  },
  'what only a kept version refers to is no garbage': {
    ...{ kind: 'sealed', furnished: true },
    steps: [{ do: 'fence', args: undefined }],
  },
  'metadata of before everything was sealed anew is made anew': {
    ...{ kind: 'sealed', furnished: false },
    steps: ['rotate keys', 'rekey', 'older metadata'].map((name) => ({ do: name, args: undefined })),
  },
  'a process that ends between the shards of a journal pack leaves what a scrub completes': {
    ...{ kind: 'spread', furnished: true },
    steps: [
      {
        do: 'crash',
        args: { space, after: 2, changes: [{ type: 'put', key: 'a', label: '[4095,1,false,false,""]' }] },
      },
    ],
  },
  'a flipped bit that is put back is looked at anew': {
    ...{ kind: 'sealed', furnished: true },
    steps: [
      {
        do: 'batch',
        args: {
          ...{ space: 'x', throws: false },
          changes: [{ type: 'put', key: 'a', label: '[300,1,true,false,""]' }],
        },
      },
      { do: 'flip bit', args: { index: 41, at: 0.5 } },
    ],
  },
  'metadata from before what two checkpoints let go of is made anew': {
    ...{ kind: 'plain', furnished: true },
    steps: [
      { do: 'put', args: { space, change: { type: 'put', key: 'a', label: '[300,2,false,false,""]' } } },
      { do: 'checkpoint', args: undefined },
      { do: 'put', args: { space, change: { type: 'put', key: 'b', label: '[300,3,false,false,""]' } } },
      { do: 'checkpoint', args: undefined },
      { do: 'gc', args: {} },
      { do: 'older metadata', args: undefined },
    ],
  },
  'a process taken for gone leaves journal packs beside those that are registered': {
    ...{ kind: 'plain', furnished: true },
    steps: [
      { do: 'other process', args: undefined },
      { do: 'put', args: { space, change: { type: 'put', key: 'a', label: '[1,1,false,false,""]' } } },
      { do: 'other process', args: undefined },
      { do: 'fence', args: undefined },
    ],
  },
};
