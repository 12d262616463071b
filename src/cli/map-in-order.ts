export { mapInOrder } from '../runtime/map-in-order.ts';
