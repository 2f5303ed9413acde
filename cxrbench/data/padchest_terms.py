"""PadChest's terms, their tree, and the findings that they count for."""

from functools import lru_cache
from typing import Final

__all__ = ["PADCHEST", "TREE", "findings_of", "is_term"]

# PadChest's terms → the usual name of the finding. Narrower terms count through `TREE`; the other terms have
# no counterpart in the other data sets.
PADCHEST: Final = {
    "normal": "No Finding",
    "atelectasis": "Atelectasis",
    "cardiomegaly": "Cardiomegaly",
    "consolidation": "Consolidation",
    "pleural effusion": "Pleural Effusion",
    "pulmonary edema": "Edema",
    "emphysema": "Emphysema",
    "pulmonary fibrosis": "Fibrosis",
    "hiatal hernia": "Hernia",
    "infiltrates": "Infiltration",
    "mass": "Mass",
    "nodule": "Nodule",
    "pneumonia": "Pneumonia",
    "pneumothorax": "Pneumothorax",
    "pleural thickening": "Pleural Thickening",
    "fracture": "Fracture",
}

# Narrower term → its parent terms, for all terms of PadChest that have one: the authors' own tree of
# 174 radiographic findings and 19 diagnoses, in the form they published with their second data set (de la
# Iglesia-Vayá et al. 2020, arXiv:2006.01174; github.com/auriml/Rx-thorax-automatic-captioning,
# manual_review/trees_code.txt), which adds viral pneumonia and COVID 19. A term may have two parents:
# hydropneumothorax is both an effusion and a pneumothorax. The tree is not corrected by the words, so a
# vertebral compression is a degenerative change and no fracture, and pleural plaques are no thickening.
# "COVID 19 uncertain" is omitted, since it states no finding.
TREE: Final[dict[str, tuple[str, ...]]] = {
    # densities, nodules, lymph nodes
    "calcified granuloma": ("calcified densities", "granuloma"),
    "calcified adenopathy": ("calcified densities", "adenopathy"),
    "calcified mediastinal adenopathy": ("calcified adenopathy",),
    "calcified pleural thickening": ("calcified densities", "pleural thickening"),
    "calcified pleural plaques": ("calcified densities", "pleural plaques"),
    "heart valve calcified": ("calcified densities",),
    "calcified fibroadenoma": ("calcified densities",),
    "multiple nodules": ("nodule",),
    "nipple shadow": ("pseudonodule",),
    "end on vessel": ("pseudonodule",),
    # lung
    "interstitial pattern": ("infiltrates",),
    "ground glass pattern": ("interstitial pattern",),
    "reticular interstitial pattern": ("interstitial pattern",),
    "reticulonodular interstitial pattern": ("interstitial pattern",),
    "miliary opacities": ("interstitial pattern",),
    "alveolar pattern": ("infiltrates",),
    "consolidation": ("alveolar pattern",),
    "air bronchogram": ("consolidation", "alveolar pattern"),
    "total atelectasis": ("atelectasis",),
    "lobar atelectasis": ("atelectasis",),
    "segmental atelectasis": ("atelectasis",),
    "laminar atelectasis": ("atelectasis",),
    "round atelectasis": ("atelectasis",),
    "atelectasis basal": ("atelectasis",),
    # pleura
    "hydropneumothorax": ("pneumothorax", "pleural effusion"),
    "loculated pleural effusion": ("pleural effusion",),
    "loculated fissural effusion": ("pleural effusion", "fissure thickening"),
    "empyema": ("pleural effusion",),
    "hemothorax": ("pleural effusion",),
    "minor fissure thickening": ("fissure thickening",),
    "major fissure thickening": ("fissure thickening",),
    "apical pleural thickening": ("pleural thickening",),
    # vessels, mediastinum
    "central vascular redistribution": ("vascular redistribution",),
    "vascular hilar enlargement": ("hilar enlargement",),
    "pulmonary artery enlargement": ("vascular hilar enlargement",),
    "adenopathy": ("hilar enlargement",),
    "descendent aortic elongation": ("aortic elongation", "mediastinal enlargement"),
    "ascendent aortic elongation": ("aortic elongation", "mediastinal enlargement"),
    "aortic button enlargement": ("aortic elongation",),
    "supra aortic elongation": ("aortic elongation", "superior mediastinal enlargement"),
    "superior mediastinal enlargement": ("mediastinal enlargement",),
    "goiter": ("superior mediastinal enlargement",),
    "aortic aneurysm": ("mediastinal enlargement",),
    "hiatal hernia": ("mediastinal enlargement",),
    "mediastinal mass": ("mediastinal enlargement", "mass"),
    # masses
    "breast mass": ("mass",),
    "pleural mass": ("mass",),
    "pulmonary mass": ("mass",),
    "soft tissue mass": ("mass",),
    # bones
    "scoliosis": ("thoracic cage deformation",),
    "kyphosis": ("thoracic cage deformation",),
    "pectum excavatum": ("thoracic cage deformation",),
    "pectum carinatum": ("thoracic cage deformation",),
    "cervical rib": ("thoracic cage deformation",),
    "vertebral compression": ("vertebral degenerative changes",),
    "vertebral anterior compression": ("vertebral compression",),
    "blastic bone lesion": ("sclerotic bone lesion",),
    "clavicle fracture": ("fracture",),
    "humeral fracture": ("fracture",),
    "vertebral fracture": ("fracture",),
    "rib fracture": ("fracture",),
    "callus rib fracture": ("rib fracture",),
    # devices and operations
    "central venous catheter": ("catheter",),
    "central venous catheter via subclavian vein": ("central venous catheter",),
    "central venous catheter via jugular vein": ("central venous catheter",),
    "central venous catheter via umbilical vein": ("central venous catheter",),
    "reservoir central venous catheter": ("central venous catheter",),
    "dual chamber device": ("electrical device",),
    "single chamber device": ("electrical device",),
    "pacemaker": ("electrical device",),
    "dai": ("electrical device",),
    "artificial mitral heart valve": ("artificial heart valve",),
    "artificial aortic heart valve": ("artificial heart valve",),
    "metal": ("surgery",),
    "osteosynthesis material": ("metal",),
    "sternotomy": ("metal",),
    "suture material": ("metal",),
    "bone cement": ("surgery",),
    "prosthesis": ("surgery",),
    "humeral prosthesis": ("prosthesis",),
    "mammary prosthesis": ("prosthesis",),
    "endoprosthesis": ("prosthesis",),
    "aortic endoprosthesis": ("endoprosthesis",),
    "surgery breast": ("surgery",),
    "mastectomy": ("surgery breast",),
    "surgery neck": ("surgery",),
    "surgery lung": ("surgery",),
    "surgery heart": ("surgery",),
    "surgery humeral": ("surgery",),
    # diagnoses
    "atypical pneumonia": ("pneumonia",),
    "viral pneumonia": ("atypical pneumonia",),
    "covid 19": ("viral pneumonia",),
    "tuberculosis sequelae": ("tuberculosis",),
    "post radiotherapy changes": ("pulmonary fibrosis",),
    "asbestosis signs": ("pulmonary fibrosis",),
    "pulmonary artery hypertension": ("pulmonary hypertension",),
    "pulmonary venous hypertension": ("pulmonary hypertension",),
}

# The terms that have none below and none above, so that `TREE` does not name them.
_ALONE: Final = frozenset(
    {
        *("exclude", "suboptimal study", "unchanged", "obesity", "chronic changes", "abscess", "cyst"),
        *("cavitation", "fibrotic band", "volume loss", "hypoexpansion", "hypoexpansion basal", "bullas"),
        *("pneumoperitoneo", "pneumomediastinum", "subcutaneous emphysema", "hyperinflated lung"),
        *(
            "flattened diaphragm",
            "lung vascular paucity",
            "air trapping",
            "bronchiectasis",
            "air fluid level",
        ),
        *("bronchovascular markings", "increased density", "mediastinal shift", "azygos lobe"),
        *("costophrenic angle blunting", "hilar congestion", "pericardial effusion", "kerley lines"),
        *("dextrocardia", "right sided aortic arch", "aortic atheromatosis", "tracheal shift", "lipomatosis"),
        *("esophagic dilatation", "azygoesophageal recess shift", "mediastinic lipomatosis", "osteopenia"),
        *("lytic bone lesion", "costochondral junction hypertrophy", "sternoclavicular junction hypertrophy"),
        *("axial hyperostosis", "osteoporosis", "non axial articular degenerative changes", "gynecomastia"),
        *("subacromial space narrowing", "chilaiditi sign", "hemidiaphragm elevation", "tracheostomy tube"),
        *("diaphragmatic eventration", "endotracheal tube", "nsg tube", "chest drain tube", "double j stent"),
        *("ventriculoperitoneal drain tube", "gastrostomy tube", "nephrostomy tube", "bone metastasis"),
        *("abnormal foreign body", "external foreign body", "lung metastasis", "lymphangitis carcinomatosa"),
        *("lepidic adenocarcinoma", "copd signs", "heart insufficiency", "respiratory distress"),
        *("covid 19 uncertain",),
    }
)
_PARENTS: Final = frozenset(parent for parents in TREE.values() for parent in parents)
_TERMS: Final = _ALONE | _PARENTS | PADCHEST.keys() | TREE.keys()


@lru_cache(4096)
def findings_of(term: str) -> frozenset[str]:
    """Findings of a PadChest term: its own and those of every ancestor in `TREE`."""
    term = _spelled(term)
    findings = frozenset({PADCHEST[term]} if term in PADCHEST else ())
    return findings.union(*(findings_of(parent) for parent in TREE.get(term, ())))


@lru_cache(4096)
def is_term(name: str) -> bool:
    """Whether PadChest has a term of that name."""
    return _spelled(name) in _TERMS


def _spelled(term: str) -> str:
    """A term in the spelling of this module's tables."""
    return " ".join(term.replace("_", " ").split()).casefold()
