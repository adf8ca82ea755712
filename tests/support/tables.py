"""DeepLabCut's tables as tests write them."""

import pandas as pd

ONE = """\
scorer,Ann,Ann,Ann,Ann
bodyparts,hand,hand,elbow,elbow
coords,x,y,x,y
labeled-data/cam1/img00.png,1.5,2.0,250.05599999999998,4.0
labeled-data/cam1/img07.png,,,7.0,8.0
"""


def set_first(h5, value):
    """Let another program change the first number of an h5, and nothing else."""
    frame = pd.read_hdf(h5)
    frame.iloc[0, 0] = value
    frame.to_hdf(h5, key="df_with_missing", mode="w")
