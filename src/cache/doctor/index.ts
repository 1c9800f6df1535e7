export { diagnose, type Diagnosis, type FamilyReport } from './diagnose';
export { adviceKinds, type Advice, type AdviceKind, type DoctorFacts, type Prediction } from './diagnosis';
export { familyOf } from './key-family';
export type { LifePoint, LifeReport } from './life-advice';
